# Subs written in C: of List::Util with callbacks into Perl, methods of a C module, imported and
# called by their full names; and built-ins that are slow ones to the profiler.
use strict;
use warnings;
use List::Util qw(first sum max reduce);
use POSIX ();
use Data::Dumper ();

my @numbers = (3, 1, 4, 1, 5, 9, 2, 6);
for my $round (1 .. 5) {
    my $total = sum(@numbers) + max(@numbers);
    my $found = first { $_ > 4 } @numbers;
    my $product = reduce { $a * $b } @numbers;
    my $floor = POSIX::floor($total / 3) + List::Util::min(@numbers);
}
local $Data::Dumper::Useqq = 0;
my $text = Data::Dumper->new([{a => [1, 2]}])->Sortkeys(1)->Dump;
$text =~ s/\s+/ /g;
my @parts = $text =~ /(\w+)/g;
open my $in, '<', $0 or die;
my $lines = 0;
$lines++ while <$in>;
close $in;
my $joined = join ',', sort map { sprintf '%03d', ord } @parts;
print {*STDERR} '' unless length $joined;
