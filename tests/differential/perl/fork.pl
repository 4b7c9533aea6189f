# Children: one that works, one that exits early, and one with a child of its own.
use strict;
use warnings;

sub work { my $sum = 0; $sum += $_ for 1 .. shift; return $sum }

sub child {
    my ($code) = @_;
    my $pid = fork;
    die "no fork: $!" unless defined $pid;
    if ($pid == 0) { $code->(); exit 0 }
    waitpid $pid, 0;
    return $?;
}

work(20);
child(sub { work(10) });
child(sub { exit 0 });
child(sub { work(5); child(sub { work(3) }) });
work(20);
