package Farm::Animal;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(describe);
our $AUTOLOAD;
my $destroyed = 0;

sub new   { my ($class, $name) = @_; return bless {name => $name}, $class }
sub name  { return $_[0]{name} }
sub sound { return 'nothing' }
sub speak { my $self = shift; return $self->name . ' says ' . $self->sound }

sub AUTOLOAD {
    my $self = shift;
    my ($method) = $AUTOLOAD =~ /(\w+)$/;
    return $self->name . ".$method";
}

sub DESTROY { $destroyed++ }

sub describe { my $animal = shift; return ref($animal) . ':' . $animal->name }

package Farm::Cow;
our @ISA = ('Farm::Animal');
sub sound { return 'moo' }

package Farm::Hen;
our @ISA = ('Farm::Animal');
sub sound { my $self = shift; return $self->SUPER::sound() . ' but cluck' }

1;
