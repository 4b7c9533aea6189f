#!/usr/bin/env perl
# dump.pl [--keep-evals] PROFILE BASE - what Devel::NYTProf's own reader makes of a profile, in the
# forms of `nytprof dump`:
#
#   BASE.records.jsonl  each record as for_chunks hands it out, as --jsonl
#   BASE.json           what Devel::NYTProf::Data loads, as --model
#
# The expected files of this folder were made so. Byte strings are decoded as UTF-8 if they are
# valid, else as Latin-1; those that the file marks as UTF-8 are {"utf8": ...} in the records.
use strict;
use warnings;
use JSON::PP ();
use Devel::NYTProf::Data;
use Devel::NYTProf::ReadStream qw(for_chunks);

my $keep_evals = @ARGV && $ARGV[0] eq '--keep-evals' && shift;
my ($path, $base) = @ARGV;
die "usage: dump.pl [--keep-evals] PROFILE BASE\n" unless defined $base;

my $json = JSON::PP->new->canonical->ascii;

sub text {
    my ($s) = @_;
    utf8::decode($s) if defined $s && !utf8::is_utf8($s);
    return $s;
}

# The shortest text that reads back as the same number; write_to() takes the marks off.
sub num {
    my ($n) = @_;
    return undef unless defined $n;
    $n += 0;
    return $n if $n == int($n) && abs($n) < 1e15;
    for my $digits (15 .. 17) {
        my $t = sprintf "%.${digits}g", $n;
        return "\x01F:$t\x01" if $t == $n;
    }
    return "$n";
}

sub encoded {
    my $t = $json->encode(shift);
    $t =~ s/"\\u0001F:([-+0-9.e]+)\\u0001"/$1/g;
    return $t;
}

sub write_to {
    my ($name, @texts) = @_;
    open my $out, '>', $name or die "$name: $!\n";
    print {$out} "$_\n" for @texts;
    close $out or die "$name: $!\n";
}

sub texts { my ($h) = @_; return { map { text($_) => text($h->{$_}) } keys %$h } }

# ---- Records: i whole, d double, t ticks (signed, but handed out without), s string ----

my %fields = (
    VERSION => 'ii', COMMENT => 's', ATTRIBUTE => 'ss', OPTION => 'ss', START_DEFLATE => '',
    PID_START => 'iid', PID_END => 'id', NEW_FID => 'iiiiiis', TIME_LINE => 'tii',
    TIME_BLOCK => 'tiiii', DISCOUNT => '', SUB_ENTRY => 'ii', SUB_RETURN => 'idds',
    SRC_LINE => 'iis', SUB_INFO => 'iiis', SUB_CALLERS => 'iiidddiss',
);
my %shown = (
    i => sub { $_[0] + 0 },
    d => \&num,
    t => sub { unpack 'l', pack 'L', $_[0] & 0xFFFFFFFF },
    s => sub { utf8::is_utf8($_[0]) ? { utf8 => $_[0] } : text($_[0]) },
);

sub records {
    my @records;
    for_chunks {
        my ($tag, @values) = @_;
        my @kinds = split //, $fields{$tag};
        push @records, encoded([$tag, map { $shown{ $kinds[$_] }->($values[$_]) } 0 .. $#values]);
    } filename => $path, quiet => 1;
    return @records;
}

# ---- The profile as it is loaded ----

sub call {
    my ($c) = @_;
    my @callers = sort map { text($_) } keys %{ $c->[7] || {} };
    return (map({ num($_) } @$c[0, 1, 2, 5, 6]), \@callers);
}

sub calls_of {
    my ($by_line) = @_;
    my %calls;
    for my $line (keys %{ $by_line || {} }) {
        $calls{$line}{ text($_) } = [call($by_line->{$line}{$_})] for keys %{ $by_line->{$line} };
    }
    return \%calls;
}

sub file {
    my ($f) = @_;
    my $source = $f->has_savesrc;
    return {
        filename => text($f->filename), eval_fid => num($f->eval_fid || 0),
        eval_line => num($f->eval_line || 0), flags => num($f->flags), size => num($f->size),
        mtime => num($f->mtime), is_eval => $f->is_eval ? 1 : 0, is_file => $f->is_file ? 1 : 0,
        is_fake => $f->is_fake ? 1 : 0,
        has_evals => [sort { $a <=> $b } map { $_->fid } $f->has_evals(0)],
        merged_fids => $f->meta->{merged_fids} || [],
        subs_defined => [sort map { text($_->subname) } $f->subs_defined],
        source => $source ? [map { text($_) } @$source[1 .. $#$source]] : undef,
        sub_call_lines => calls_of($f->sub_call_lines),
    };
}

sub sub_of {
    my ($s) = @_;
    my @callers = map {
        my ($fid, $line, $c) = @$_;
        my %figures = (fid => num($fid), line => num($line));
        @figures{qw(count incl excl reci depth by)} = call($c);
        \%figures;
    } $s->caller_places;
    return {
        map({ $_ => num($s->$_) } qw(fid first_line last_line calls incl_time excl_time
            recur_max_depth recur_incl_time)),
        kind => $s->kind, package => text($s->package), is_anon => $s->is_anon ? 1 : 0,
        merged_sub_names => [map { text($_) } @{ $s->meta->{merged_sub_names} || [] }],
        callers => \@callers,
    };
}

sub times_of {
    my ($by_fid) = @_;
    my %times;
    for my $fid (0 .. $#{ $by_fid || [] }) {
        my $lines = $by_fid->[$fid] or next;
        for my $line (0 .. $#$lines) {
            my $cell = $lines->[$line];
            $times{$fid}{$line} = [num($cell->[0]), num($cell->[1])] if $cell && @$cell;
        }
    }
    return \%times;
}

sub model {
    my $p = Devel::NYTProf::Data->new({
        filename => $path, quiet => 1, skip_collapse_evals => $keep_evals ? 1 : 0 });
    my %model = (attributes => texts($p->attributes), options => texts($p->options),
        levels => { %{ $p->get_profile_levels } });
    for (qw(profiler_start_time profiler_end_time profiler_duration profiler_active
            total_stmts_measured total_stmts_discounted total_stmts_duration total_sub_calls)) {
        $model{attributes}{$_} = num($p->attributes->{$_}) if defined $p->attributes->{$_};
    }
    $model{files}{ $_->fid } = file($_) for $p->all_fileinfos;
    for my $level (values %{ $p->get_profile_levels }) {
        my $times = times_of($p->get_fid_line_data($level));
        $model{time}{$level} = $times if %$times;
    }
    my $subs = $p->subname_subinfo_map;
    for my $name (keys %$subs) {
        my $marked = utf8::is_utf8($name) && $name =~ /[^\x00-\x7f]/ ? ' (utf8-tagged)' : '';
        $model{subs}{ text($name) . $marked } = sub_of($subs->{$name});
    }
    return encoded(\%model);
}

# In this order: the reader keeps the ticks_per_sec of what it read before.
write_to("$base.json", model());
write_to("$base.records.jsonl", records());
