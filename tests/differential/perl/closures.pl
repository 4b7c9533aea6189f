# Anonymous subs: closures, callbacks of sort, map and grep, several on one line, subs that make
# subs, and one that calls itself through a variable.
use strict;
use warnings;

sub counter { my $n = shift; return sub { return $n++ } }
my ($first, $second) = (counter(1), counter(10));
$first->() for 1 .. 5;
$second->() for 1 .. 3;

sub by_number { return $a <=> $b }
my @numbers = map { ($_ * 7) % 11 } 1 .. 10;
my @sorted = sort by_number @numbers;
my @reversed = sort { $b <=> $a } @numbers;
my $compare = sub { return $a <=> $b };
@sorted = sort $compare @numbers;

sub apply { my ($f, @values) = @_; return map { $f->($_) } @values }
my @doubled = apply(sub { return $_[0] * 2 }, grep { $_ % 2 } @sorted);
my @both = (sub { return 1 }, sub { return 2 });
$_->() for @both, @both;

my $factorial;
$factorial = sub { my $n = shift; return $n < 2 ? 1 : $n * $factorial->($n - 1) };
$factorial->(6);
