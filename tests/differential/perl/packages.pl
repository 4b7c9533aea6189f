# Packages of several files: methods, inheritance, accessors, AUTOLOAD, DESTROY, import, two
# packages of one file, and a module that is loaded late.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Farm;
use Farm::Animal qw(describe);

my $farm = Farm->new;
$farm->add(Farm::Cow->new("cow $_"), Farm::Hen->new("hen $_")) for 1 .. 3;
my $text = join ' ', map { describe($_) } $farm->animals;
$_->speak for $farm->animals;
$_->any_other_method(1, 2) for $farm->animals;
if ($farm->size > 3) {
    require Farm::Market;
    Farm::Market::sell($farm);
}
undef $farm;
