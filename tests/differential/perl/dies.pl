# Ways out of a sub: die through several frames, die in a sort callback, eval blocks, next and last
# out of a loop, goto &sub, wantarray, a handler of signals, local $@, and END.
use strict;
use warnings;

sub thrower { my $n = shift; die {level => 0} if $n == 0; return thrower($n - 1) }

sub catcher {
    my $n = shift;
    my $ok = eval { thrower($n); 1 };
    return $ok ? 0 : $n;
}

sub finally { local $@; eval { die "inner\n" }; return 1 }

sub jump { goto &landed }
sub landed { return "landed @_" }

my $total = 0;
$total += catcher($_) for 0 .. 4;
eval { finally(); die "outer\n" };
jump(1, 2) for 1 .. 3;
for my $i (1 .. 6) {
    next if $i % 2;
    last if $i > 5;
    $total += $i;
}
my @sorted = eval { sort { die "in sort\n" if $a == 2; $a <=> $b } 3, 2, 1 };
{
    local $SIG{__WARN__} = sub { $total++ };
    warn "caught\n";
    local $SIG{USR1} = sub { $total += 10 };
    kill USR1 => $$;
}
sub context { return wantarray ? 'list' : defined wantarray ? 'scalar' : 'void' }
my @list = context();
my $scalar = context();
context();

END { $total = 0; catcher(1) }
