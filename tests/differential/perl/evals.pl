# String evals: repeated with equal and with different text, nested, failing, defining subs, and
# within subs; and a `#line` directive in one.
use strict;
use warnings;

my $total = 0;
for my $i (1 .. 4) { eval '$total += $i; $total' }
for my $i (1 .. 3) { eval "sub made_$i { return $i * 2 }\n\$total += made_$i();\n" }
eval q{
    eval q{
        $total++;
        sub inner { return 5 }
        eval '$total += inner();' for 1 .. 2;
    };
    $total += inner();
};
eval 'die "boom\n"; 1' or $total++;
eval 'this is not perl (';

sub compile {
    my ($text) = @_;
    return eval "sub { my \$v = shift; return $text }";
}
my @subs = map { compile("\$v + $_") } 1 .. 3;
$total = $_->($total) for @subs;
my $again = compile('$v + 1');
$total = $again->($total) for 1 .. 3;
eval "\n#line 100 \"elsewhere.pl\"\n\$total++;\n";
