#!/usr/bin/env perl
# dump.pl PROFILE - prints what Devel::NYTProf's own reader makes of a profile, as JSON.
#
#   attributes, options   as loaded (profiler_duration and the like are the loader's)
#   files   [fid, name, parent fid, parent line, source lines or null]
#   lines   [fid, line, seconds, count]      from the loader, evals merged by it
#   blocks, by_sub      the same by first line of the block, of the sub; empty unless blocks=1
#   subs    [name, fid, first line, last line, calls, inclusive s, exclusive s, recursive s, depth]
#   edges   [fid, line, caller, callee, count, inclusive s, exclusive s, recursive s, depth]
#           straight from the stream, for the loader joins callers that share a line
#   returns [depth, name, inclusive ticks, exclusive ticks]     from the stream
use strict;
use warnings;
use JSON::PP;
use Devel::NYTProf::Data;
use Devel::NYTProf::ReadStream qw(for_chunks);

my ($path) = @ARGV;
my (@edges, @returns);

# Our names and sources are UTF-8 in byte strings.
sub chars { my ($s) = @_; utf8::decode($s) if defined $s && !utf8::is_utf8($s); return $s }

my %taker = (
    SUB_CALLERS => sub {
        my ($fid, $line, $count, $incl, $excl, $reci, $depth, $callee, $caller) = @_;
        push @edges, [$fid + 0, $line + 0, chars($caller), chars($callee), $count + 0,
            $incl + 0, $excl + 0, $reci + 0, $depth + 0];
    },
    SUB_RETURN => sub {
        my ($depth, $incl, $excl, $name) = @_;
        push @returns, [$depth + 0, chars($name), $incl + 0, $excl + 0];
    },
);
for_chunks {
    my ($tag, @fields) = @_;
    $taker{$tag}->(@fields) if $taker{$tag};
} filename => $path, quiet => 1;

my $profile = Devel::NYTProf::Data->new({ filename => $path, quiet => 1 });

my @files = map {
    my $text = $_->srclines_array;
    [$_->fid + 0, chars($_->filename), ($_->eval_fid || 0) + 0, ($_->eval_line || 0) + 0,
        $_->has_savesrc && $text ? [map { chars($_) } @$text] : undef];
} $profile->all_fileinfos;

sub by_line {
    my ($level) = @_;
    my @lines;
    my $by_fid = $profile->get_fid_line_data($level) || [];
    for my $fid (1 .. $#$by_fid) {
        my $by_line = $by_fid->[$fid] or next;
        for my $line (0 .. $#$by_line) {
            my $cell = $by_line->[$line];
            push @lines, [$fid, $line, $cell->[0] + 0, $cell->[1] + 0] if $cell && @$cell;
        }
    }
    return \@lines;
}

my @subs = map {
    [chars($_->subname), $_->fid + 0, map { ($_ || 0) + 0 } $_->first_line, $_->last_line, $_->calls,
        $_->incl_time, $_->excl_time, $_->recur_incl_time, $_->recur_max_depth];
} values %{ $profile->subname_subinfo_map };

sub texts { my ($h) = @_; return { map { chars($_) => chars("$h->{$_}") } keys %$h } }

print JSON::PP->new->ascii->canonical->encode({
    attributes => texts($profile->attributes), options => texts($profile->options),
    files => \@files, lines => by_line('line'), blocks => by_line('block'),
    by_sub => by_line('sub'), subs => \@subs, edges => \@edges, returns => \@returns,
});
