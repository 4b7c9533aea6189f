# Names and text beyond ASCII: such as fit Latin-1 and such as do not, in subs, packages and evals.
use strict;
use warnings;
use utf8;

package Größe;
sub messen { my $länge = shift; return $länge * 2 }

package Δέντρο;
sub ύψος { my $x = shift; return $x < 1 ? 0 : 1 + ύψος($x - 1) }

package main;

sub naïve { return join '', @_ }
sub 数える { my $n = 0; $n++ for 1 .. shift; return $n }

my $texte = "crème brûlée, мёд, 蜂蜜, \x{1F36F}";
naïve($texte, 'é') for 1 .. 3;
数える(4);
Größe::messen($_) for 1 .. 3;
Δέντρο::ύψος(3);
eval 'sub évalué { return "ü" } évalué() for 1 .. 2;';
