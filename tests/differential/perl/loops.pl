# Statements alone: nested loops, blocks, statement modifiers, chained conditions, a long line, heredocs.
use strict;
use warnings;

my ($odd, $even, $text) = (0, 0, '');
for my $i (1 .. 20) {
    for (my $j = 0; $j < 3; $j++) {
        if ($i % 2) { $odd++ }
        elsif ($i % 3 == 0) { $even += 2 }
        else { $even++ }
    }
}
my $n = 10;
while ($n > 0) { $n -= 3; next if $n == 4; $text .= $n }
do { $n++ } until $n > 5;
$text .= "$_;" for grep { $_ & 1 } 1 .. 9; $odd++; $even++;
$text .= <<"END" unless $odd < 0;
of several
lines $n
END
select undef, undef, undef, 0.002;
