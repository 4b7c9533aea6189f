package Farm;
use strict;
use warnings;
use Farm::Animal;

sub new { my $class = shift; return bless {animals => []}, $class }

sub add {
    my ($self, @new) = @_;
    push @{ $self->{animals} }, @new;
    return $self;
}

sub animals { return @{ $_[0]{animals} } }
sub size    { return scalar $_[0]->animals }
sub DESTROY { $_[0]{animals} = [] }

1;
