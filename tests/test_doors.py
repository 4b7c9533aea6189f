"""The command line for reading, by both programs: statuses, messages, streams and signals."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from doors import Door
from support import TIME_LIMIT_S, wait_until

GOLDEN = Path(__file__).parent / "golden"
PERL = GOLDEN / "perl"
PROFILE = PERL / "packages.out"
COMMANDS = ["verify", "summary", "tree", "info", "dump", "speedscope"]


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A profile of which dump writes more than any pipe holds."""
    path = tmp_path / "long.out"
    path.write_bytes(b"NYTProf 5 0\n" + b"#a comment\n" * 50_000)
    return path


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    path = tmp_path / "damaged.out"
    raw = bytearray((PERL / "strevals.out").read_bytes())
    raw[len(raw) // 2 :] = b"?" * 40
    path.write_bytes(raw)
    return path


# ---- Both say the same ----


def same(doors: list[Door], *words: str | Path) -> subprocess.CompletedProcess[str]:
    """What nytprof says, once the other has said it too, with its own name."""
    one, two = (door.run(*words) for door in doors)
    assert re.sub(r"\bnytprof\b(?!\.)", "pynytprof", one.stderr) == two.stderr
    assert (one.returncode, one.stdout) == (two.returncode, two.stdout)
    return one


@pytest.mark.parametrize("options", [[], ["-v"], ["-q"], ["--json"], ["-v", "--json"]])
def test_both_judge_alike(options: list[str], doors: list[Door]) -> None:
    odd = sorted(GOLDEN.glob("odd/*.out"))
    assert same(doors, "verify", *options, *odd, PERL / "demo.out", PERL / "none").returncode == 3


def test_both_show_the_same(doors: list[Door], damaged: Path) -> None:
    evals = PERL / "strevals.out"
    for words, status in (
        (["summary", damaged], 3),
        (["summary", "--salvage", "--json", damaged], 0),
        (["info", "--salvage", "--width", "70", "--color", "always", damaged], 0),
        (["summary", "--keep-evals", "--json", evals], 0),
        (["summary", "--source", "strevals.pl", "-n3", "--sort=count", evals, PROFILE], 2),
        (["dump", "--model", "--keep-evals", evals], 0),
        (["dump", "--jsonl", GOLDEN / "odd" / "trunc-in-nv.out"], 4),
        (["dump", "--model", GOLDEN / "odd" / "trunc-in-nv.out"], 4),
        (["speedscope", "--max-bytes", "3000", PROFILE], 0),
        (["diff", "--fail-if", "total<0s", "--fail-if", "calls>1", PROFILE, evals], 1),
        (["completions", "csh"], 2),
    ):
        assert same(doors, *words).returncode == status, words


# ---- Status and messages ----


def test_a_broken_profile_is_status_1(door: Door, tmp_path: Path) -> None:
    done = door.run("verify", PROFILE)
    assert (done.returncode, done.stdout.startswith(f"{PROFILE} \u2713 ")) == (0, True)
    (tmp_path / "half.out").write_bytes(PROFILE.read_bytes()[:999])
    done = door.run("verify", "-q", PROFILE, tmp_path / "half.out")
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)
    assert done.stdout.startswith(f"{tmp_path / 'half.out'} \u2717 ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["summary", "--nope"], "unknown option '--nope'"),
        (["summary", "--jsn"], "unknown option '--jsn' (did you mean '--json'?)"),
        (["summary", "--sour=x"], "unknown option '--sour' (did you mean '--source'?)"),
        (["verify", "-x"], "unknown option '-x'"),
        (["summary", "--top", "abc"], "invalid value 'abc' for --top: expected a positive number"),
        (["summary", "-n0"], "invalid value '0' for --top: expected a positive number"),
        (["info", "--width=1234567890"],
         "invalid value '1234567890' for --width: expected a number below 1000000000"),
        (["info", "--color", "blue"],
         "invalid value 'blue' for --color: expected auto, always or never"),
        (["summary", "--json=3"], "option --json takes no value"),
        (["summary", "x", "--sort"], "missing argument for --sort"),
        (["summary", "x", "-n"], "missing argument for --top"),
        (["dump", "--jsonl", "--model", "x"], "--jsonl and --model exclude each other"),
        (["help", "nothing"], "unknown command 'nothing'"),
        (["help", "sumary"], "unknown command 'sumary' (did you mean 'summary'?)"),
        (["completions"], "completions requires a shell: bash, fish or zsh"),
        (["completions", "csh"], "unknown shell 'csh': expected bash, fish or zsh"),
    ],
)  # fmt: skip
def test_wrong_usage_is_named(words: list[str], said: str, door: Door) -> None:
    assert door.complaint(*words) == said


NO_PROFILE = (
    "no profile given, and there is no nytprof.out here: 'pynytprof SCRIPT' makes one"
)  # fmt: skip


@pytest.mark.parametrize("command", ["merge", "recover", "diff"])
def test_what_makes_or_compares_wants_a_file(command: str, door: Door) -> None:
    assert door.complaint(command) == "no input file given"
    assert door.run(command, "--help").returncode == 0


@pytest.mark.parametrize("words", [[c] for c in COMMANDS] + [["convert", "--to", "json"], []])
def test_what_reads_takes_the_usual_file(
    words: list[str], doors: list[Door], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for door in doors if words else doors[:1]:
        assert door.complaint(*words) == NO_PROFILE
        (tmp_path / "nytprof.out").write_bytes(PROFILE.read_bytes())
        done = door.run(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == door.run(*words, "nytprof.out").stdout != ""
        (tmp_path / "nytprof.out").unlink()


def test_nytprof_takes_a_file_without_a_command(nytprof: Door, tmp_path: Path) -> None:
    answer = nytprof.run("summary", PROFILE).stdout
    assert nytprof.run(PROFILE).stdout == answer
    assert nytprof.run("-n", "2", PROFILE).stdout == nytprof.run("summary", "-n2", PROFILE).stdout
    assert nytprof.run("-", input=PROFILE.read_bytes()).stdout == answer
    assert nytprof.complaint("sumary") == "unknown command 'sumary' (did you mean 'summary'?)"
    assert nytprof.complaint("--nope") == "unknown option '--nope'"
    done = nytprof.run("prog.out")
    assert (done.returncode, done.stderr) == (
        3, "nytprof: prog.out: cannot open: No such file or directory\n"
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_what_cannot_be_read_is_status_3(command: str, door: Door, tmp_path: Path) -> None:
    done = door.run(command, tmp_path / "nothing.out")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"{door.name}: {tmp_path / 'nothing.out'}: cannot open: ")
    if command not in ("verify", "dump"):
        done = door.run(command, __file__)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith(f"{door.name}: {__file__}: ")


def test_an_unknown_source_is_status_2(door: Door) -> None:
    done = door.run("summary", "--source", "nothing.py", PROFILE)
    assert (done.returncode, done.stderr) == (
        2, f"{door.name}: {PROFILE}: no file 'nothing.py' in this profile\n"
    )  # fmt: skip


def test_what_cannot_be_written_is_status_4(door: Door, tmp_path: Path) -> None:
    done = door.run("dump", "-o", tmp_path / "no" / "x", PROFILE)
    assert (done.returncode, done.stderr) == (
        4, f"{door.name}: {tmp_path / 'no' / 'x'}: cannot open: No such file or directory\n"
    )  # fmt: skip
    done = door.run("dump", PROFILE, preexec_fn=lambda: os.close(1))
    assert (done.returncode, done.stderr) == (
        4, f"{door.name}: standard output: cannot write: Bad file descriptor\n"
    )  # fmt: skip
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    for words in (["dump", "-o", "/dev/full", PROFILE], ["help"], ["completions", "bash"]):
        with open("/dev/full", "wb") as full:
            done = door.run(*words, stdout=full, stderr=subprocess.PIPE, capture_output=False)
        if words == ["help"] and door.name == "pynytprof":
            continue  # argparse writes that
        assert done.returncode == 4
        assert done.stderr.endswith(": cannot write: No space left on device\n")


def test_names_need_not_be_text(door: Door, tmp_path: Path) -> None:
    done = door.raw("info", os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9.out"))
    assert done.returncode == 3
    assert b"/\xff\xe9.out: cannot open: " in done.stderr


def test_a_model_of_what_breaks_off_says_so(door: Door, tmp_path: Path) -> None:
    (tmp_path / "half.out").write_bytes(PROFILE.read_bytes()[:-300])
    done = door.run("dump", "--model", tmp_path / "half.out")
    assert done.returncode == 4 and json.loads(done.stdout)
    assert done.stderr.startswith(f"{door.name}: {tmp_path / 'half.out'}: ")
    assert "at offset" in done.stderr


# ---- What is shown ----


def test_what_is_shown_can_be_chosen(door: Door) -> None:
    whole = json.loads(door.run("summary", "--json", "-n99", PROFILE).stdout)
    names = {line["file"] for line in whole["top_lines"]}
    assert len(names) > 1 and whole["hot_lines"] and whole["sentence"]
    one = min(names)
    assert door.run("summary", "--only", "*", "--exclude", "*", PROFILE).returncode == 2
    for words, expected in ((["--only", one], {one}), (["--exclude", one], names - {one})):
        some = json.loads(door.run("summary", "--json", "-n99", *words, PROFILE).stdout)
        for key in ("top_lines", "top_subs", "top_files", "top_calls", "hot_lines"):
            assert {entry["file"] for entry in some[key]} <= expected, key
        assert {line["file"] for line in some["top_lines"]} == expected
        assert some["split"] == whole["split"]  # figures stay what they are


# ---- Streams ----


def test_a_snapshot_is_a_finding(door: Door, tmp_path: Path) -> None:
    head, rest = PROFILE.read_bytes().split(b"\n", 1)
    path = tmp_path / "snapshot.out"
    path.write_bytes(head + b"\n#Snapshot: the program was still running\n" + rest)
    done = door.run("verify", "-v", path)
    assert done.returncode == 0
    assert "a snapshot: the program was still running" in done.stdout
    done = door.run("diff", path, PROFILE)
    assert done.stdout.startswith(f"{path} (snapshot) -> {PROFILE}\n")
    said = f"{door.name}: {path}: the profile is a snapshot: the program was still running\n"
    assert (done.returncode, done.stderr) == (0, said)
    for words in (["summary", "--json"], ["info", "--json"], ["convert", "--to", "json"]):
        report = json.loads(door.run(*words, path).stdout)
        assert (report["complete"], report["snapshot"]) == (False, True)
    found = json.loads(door.run("verify", "--json", path).stdout)
    assert found["sound"] and "snapshot" in [one["rule"] for one in found["findings"]]


@pytest.mark.parametrize("word", ["guide", "completions", "help"])
def test_help_knows_words_that_are_no_commands(word: str, nytprof: Door) -> None:
    done = nytprof.run("help", word)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: nytprof {word}")


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_results_go_to_stdout_or_a_file(command: str, door: Door, tmp_path: Path) -> None:
    shown = door.run(command, PROFILE)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert len(shown.stdout) > 100
    kept = door.run(command, f"-o{tmp_path / 'result'}", PROFILE)
    assert (kept.returncode, kept.stdout, kept.stderr) == (0, "", "")
    assert (tmp_path / "result").read_text("utf-8") == shown.stdout


def test_a_profile_may_come_from_a_pipe(door: Door) -> None:
    piped = door.run("summary", "--json", "-", input=PROFILE.read_bytes())
    named = door.run("summary", "--json", PROFILE)
    assert piped.returncode == 0
    assert json.loads(piped.stdout)["top_lines"] == json.loads(named.stdout)["top_lines"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_output_is_utf8_whatever_the_locale(encoding: str, door: Door) -> None:
    env = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = door.raw("verify", PROFILE, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith(f"{PROFILE} \u2713 ")


def on_a_terminal(door: Door, *words: str | Path, columns: int = 60, **env: str) -> str:
    """What is shown there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    known = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    child = subprocess.Popen(
        [*door.argv, *map(str, words)], stdout=theirs, env={**known, "TERM": "xterm", **env}
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # nobody has it open any more
            break
        if not data:
            break
        shown += data
    os.close(ours)
    assert child.wait() == 0
    return shown.decode()


@pytest.mark.parametrize("command", ["summary", "tree", "info"])
def test_several_profiles_are_told_apart(command: str, door: Door) -> None:
    other = PERL / "closures.out"
    one, two = (door.run(command, path).stdout for path in (PROFILE, other))
    both = door.run(command, PROFILE, other)
    assert both.stdout == f"==> {PROFILE} <==\n{one}\n==> {other} <==\n{two}"
    if command != "tree":
        assert len(door.run(command, "--json", PROFILE, other).stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "status"),
    [(["source", "packages.pl"], 2), (["func", "new"], 2), (["tree"], 4), (["speedscope"], 4),
     (["convert", "--to", "json"], 4)],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)  # fmt: skip
def test_what_breaks_off_is_said_to_be_incomplete(
    words: list[str], status: int, door: Door, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.out"
    for size, expected in ((600, status), (1300, 0)):
        cut.write_bytes(PROFILE.read_bytes()[:size])
        done = door.run(*words, cut)
        said = f"{door.name}: {cut}: the profile is incomplete: the file ends"
        assert (done.returncode, done.stderr.startswith(said)) == (expected, True)
        assert "calls=0" not in done.stderr
        assert bool(done.stdout) == (expected == 0 or words[0] in ("speedscope", "convert"))


def test_code_loses_its_end_on_a_terminal_and_only_there(door: Door) -> None:
    words = ("source", "--color=never", "packages.pl", PROFILE)
    whole = door.run(*words).stdout.splitlines()
    lines = on_a_terminal(door, *words, columns=48).splitlines()
    assert max(map(len, lines)) == 48 < max(map(len, whole))
    assert lines == door.run(*words, env={**os.environ, "COLUMNS": "48"}).stdout.splitlines()
    code = 'my @pen = (Zoo::Animal->new("cow"), Zoo::Dog->new("rex"), Zoo::Dog->new("fido"));'
    assert any(line.endswith(code) for line in whole)
    (cut,) = (line for line in lines if "my @pen" in line)
    assert code.startswith(cut[cut.index("my @pen") :]) and len(cut) == 48


def test_colour_is_for_terminals_and_for_those_who_want_it(door: Door, tmp_path: Path) -> None:
    assert "\x1b[" in on_a_terminal(door, "summary", PROFILE)
    assert "\x1b[" in on_a_terminal(door, "summary", PROFILE, NO_COLOR="")
    assert "\x1b[" not in on_a_terminal(door, "summary", PROFILE, NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal(door, "summary", PROFILE, TERM="dumb")
    assert "\x1b[" not in on_a_terminal(door, "summary", "--color=never", PROFILE)
    assert "\x1b[" in on_a_terminal(door, "summary", "--color=always", PROFILE, NO_COLOR="1")
    assert "\x1b[" not in door.run("summary", PROFILE).stdout
    on_a_terminal(door, "summary", "-o", tmp_path / "text", PROFILE)
    assert "\x1b[" not in (tmp_path / "text").read_text("utf-8")
    on_a_terminal(door, "summary", "--color", "always", "-o", tmp_path / "text", PROFILE)
    assert "\x1b[" in (tmp_path / "text").read_text("utf-8")


def test_text_is_as_wide_as_the_terminal(door: Door) -> None:
    for columns in (62, 90):
        shown = on_a_terminal(door, "summary", "--color=never", PROFILE, columns=columns)
        given = door.run("summary", f"--width={columns}", PROFILE).stdout
        assert shown.replace("\r\n", "\n") == given
    narrow = on_a_terminal(door, "summary", "--color=never", "--width=62", PROFILE, columns=90)
    assert narrow != shown
    told = on_a_terminal(door, "summary", "--color=never", PROFILE, columns=90, COLUMNS="62")
    assert told == narrow
    env = {**os.environ, "COLUMNS": "62"}
    assert door.run("summary", PROFILE, env=env).stdout == narrow.replace("\r\n", "\n")
    for wrong in ("", "0", "-3", "wide", "99999999999"):
        env["COLUMNS"] = wrong
        assert door.run("summary", PROFILE, env=env).stdout == door.run("summary", PROFILE).stdout


# ---- Signals ----


def begun(door: Door, long: Path, **how: object) -> subprocess.Popen[bytes]:
    """One that has begun to write, and waits until somebody reads on."""
    child: subprocess.Popen[bytes] = subprocess.Popen(
        [*door.argv, "dump", str(long)], bufsize=0, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, **how)  # type: ignore[call-overload]  # fmt: skip
    assert child.stdout
    assert child.stdout.read(1)
    return child


def test_interrupted_it_dies_of_the_signal(door: Door, long: Path) -> None:
    child = begun(door, long)
    child.send_signal(signal.SIGINT)
    assert child.wait(10) == -signal.SIGINT
    assert child.communicate()[1] == b""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_leaves_no_part_of_a_file(
    signum: signal.Signals, door: Door, tmp_path: Path
) -> None:
    out = tmp_path / "out.txt"
    out.write_text("what was there")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    child = subprocess.Popen([*door.argv, "dump", "-o", out, fifo], stderr=subprocess.PIPE)
    with fifo.open("wb"):  # nothing comes
        wait_until(lambda: len(list(tmp_path.glob("*.part"))) == 1)
        child.send_signal(signum)
        assert child.wait(TIME_LIMIT_S) == -signum
    assert child.communicate()[1] == b""
    assert out.read_text() == "what was there"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["fifo", "out.txt"]


def test_in_the_background_it_is_not_interrupted(door: Door, long: Path) -> None:
    child = begun(door, long, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    child.send_signal(signal.SIGINT)
    out, err = child.communicate()
    assert (child.returncode, out.count(b"\n"), err) == (0, 50_001, b"")


def test_a_closed_pipe_is_quiet(door: Door, long: Path) -> None:
    child = begun(door, long)
    assert child.stdout and child.stderr
    child.stdout.close()
    assert child.wait(10) == -signal.SIGPIPE
    assert child.stderr.read() == b""
    child.stderr.close()


IN_A_PROCESS = """\
import signal, sys
from pynytprof import _cread
before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGPIPE)]
sys.stdout.write("first, ")
status = _cread.run(["--version"], prog="it")
print(status, before == [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGPIPE)])
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
print(_cread.run(argv=["verify", "-q", sys.argv[1], b"/no"]))
for wrong in (3, [3], ["a\\0b"]):
    try:
        _cread.run(wrong)
    except (TypeError, ValueError) as error:
        print(type(error).__name__)
"""


def test_within_a_process_all_is_as_it_was_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS, PROFILE], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(
        r"first, it \d+\.\d+\.\d+\n0 True\ninterrupted\n3\nTypeError\nTypeError\nValueError\n",
        done.stdout,
    )
    assert done.stderr == "pynytprof: /no: cannot open: No such file or directory\n"


def test_a_file_that_is_merged_twice_is_named(door: Door, tmp_path: Path) -> None:
    other = tmp_path / "link.out"
    other.symlink_to(PROFILE)
    done = door.run("merge", "-o", tmp_path / "twice.out", PROFILE, other)
    assert done.returncode == 0
    assert f"{other}: given more than once" in done.stderr
    quiet = door.run("merge", "-q", "-o", tmp_path / "quiet.out", PROFILE, other)
    assert (quiet.returncode, quiet.stderr) == (0, "")
