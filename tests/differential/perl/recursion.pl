# Recursion: of one sub, of two through each other, from two lines of one sub, and with depth.
use strict;
use warnings;

sub fib { my ($n) = @_; return $n < 2 ? $n : fib($n - 1) + fib($n - 2) }

sub even {
    my ($n) = @_;
    return 1 if $n == 0;
    return odd($n - 1);
}

sub odd {
    my ($n) = @_;
    return 0 if $n == 0;
    return even($n - 1);
}

sub walk {
    my ($depth) = @_;
    return 0 unless $depth;
    my $sum = walk($depth - 1);
    $sum += walk(0);
    return $sum + 1;
}

my $total = 0;
for my $i (1 .. 3) {
    $total += fib(7);
    $total += even(9) + odd(4);
}
$total += walk(30);
die "wrong: $total\n" unless $total == 3 * (13 + 0 + 0) + 30;
