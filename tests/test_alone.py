"""The program runs as if alone: Python itself starts it, and nothing of ours is in its way."""

from __future__ import annotations

import importlib.util
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support import Outcome, environment

from pynytprof import reader, verify
from pynytprof._run import handover

TOP = Path(__file__).parent.parent
PYTHON = sys.executable
PROFILER = [PYTHON, "-m", "pynytprof"]

spec = importlib.util.spec_from_file_location("self_view", TOP / "tools" / "self_view.py")
assert spec and spec.loader
self_view = importlib.util.module_from_spec(spec)
spec.loader.exec_module(self_view)


def run(command: list[str], folder: Path, **more: str) -> Outcome:
    done = subprocess.run(command, cwd=folder, env=environment(**more), capture_output=True,
                          stdin=subprocess.DEVNULL, text=True, timeout=60)  # fmt: skip
    return Outcome(done.stdout, done.stderr, done.returncode)


def both(folder: Path, text: str, *options: str, **more: str) -> tuple[Outcome, Outcome]:
    """A program without and with us."""
    (folder / "prog.py").write_text(text)
    plain = run([PYTHON, "prog.py"], folder, **more)
    return plain, run([*PROFILER, "-q", *options, "prog.py"], folder, **more)


def calls(path: Path, sub: str) -> int:
    assert verify.verify(path, quiet=True), path
    found = reader.read(path).subs.get(sub)
    return found.calls if found else 0


@pytest.mark.parametrize("way", self_view.WAYS)
def test_what_the_program_sees_of_itself(way: str) -> None:
    assert self_view.unexpected(PYTHON, way) == {}


def test_recursion_goes_as_deep_as_without_us(tmp_path: Path) -> None:
    text = (
        "def down(n):\n    global deepest\n    deepest = n\n    down(n + 1)\n"
        "try: down(1)\nexcept RecursionError: print(deepest)\n"
    )
    plain, ours = both(tmp_path, text)
    assert ours == plain


def test_the_collector_shows_nothing_of_ours_when_code_runs_for_the_first_time(
    tmp_path: Path,
) -> None:
    text = (
        "import gc\nclass C:\n    def __eq__(self, other): return False\n"
        "def numbers(): yield 1\nc, n = C(), numbers()\nbefore = len(gc.get_objects())\n"
        "c == c\nnext(n)\nprint(len(gc.get_objects()) - before)\n"
    )
    plain, ours = both(tmp_path, text)
    assert ours == plain and plain.stdout == "0\n"


def test_code_that_has_run_before_moves_the_collectors_count_as_without_us(tmp_path: Path) -> None:
    text = (
        "import gc\nkeep = []\nclass C:\n    def __init__(self, n): self.n = [n]\n"
        "def numbers():\n    for i in range(3): yield [i]\n"
        "def fails():\n    try: raise ValueError([1])\n    except ValueError as e: return [e]\n"
        "def work(i):\n    keep.append(C(i)); keep.extend(numbers()); keep.append(fails())\n"
        "    keep.append(sorted([3, 1], key=lambda x: [x]))\n"
        "gc.collect(); gc.disable()\ncounts = [0] * 300\n"
        "for i in range(300):\n    work(i); counts[i] = gc.get_count()[0]\n"
        "print([n - counts[9] for n in counts[9:]])\n"
    )
    plain, ours = both(tmp_path, text)
    assert ours == plain and plain.stdout.startswith("[0, ")


def test_imports_are_the_programs_own_and_in_the_profile(tmp_path: Path) -> None:
    plain, ours = both(tmp_path, "import argparse, dataclasses, platform, inspect, signal\n")
    assert ours == plain
    found = reader.read(tmp_path / "nytprof.out")
    for name in ("argparse.py", "dataclasses.py", "platform.py", "inspect.py", "signal.py"):
        assert any(f.name.endswith(f"/{name}") for f in found.files.values()), name


def starts(folder: Path, command: list[str], **more: str) -> tuple[int, str]:
    """How many interpreters have begun with that command, and what it says."""
    (folder / "site").mkdir(exist_ok=True)
    (folder / "site" / "sitecustomize.py").write_text(
        "with open('starts', 'a') as file: file.write('.')\n"
    )
    said = run(command, folder, PYTHONPATH="site", **more)
    assert (said.stderr, said.status) == ("", 0)
    begun = folder / "starts"
    found = len(begun.read_text())
    begun.unlink()
    return found, said.stdout


WAYS_OF_ONE = {
    "script": ["prog.py"],
    "module": ["-m", "prog"],
    "text": ["-c", "import sys; print(sys.argv, sys.orig_argv[1:], __name__)"],
    "script without an ending": ["./prog"],
    "flags": ["prog.py"],
}
ONE = pytest.mark.skipif(bool(handover.start_folder()), reason="no pynytprof.pth is installed")


@ONE
@pytest.mark.parametrize("way", WAYS_OF_ONE)
def test_one_interpreter_is_enough(way: str, tmp_path: Path) -> None:
    for name in ("prog.py", "prog"):
        (tmp_path / name).write_text("import sys; print(sys.argv, sys.orig_argv[1:], __file__)\n")
    flags = ["-X", "utf8", "-Wignore"] if way == "flags" else []
    words = [*WAYS_OF_ONE[way], "a", "-q", "b c"]
    python = [PYTHON, *flags]
    plain = starts(tmp_path, [*python, *words])
    assert starts(tmp_path, [*python, "-m", "pynytprof", "-q", "-o", "x.out", *words]) == plain
    assert plain[0] == 1
    assert verify.verify(tmp_path / "x.out", quiet=True)


@ONE
@pytest.mark.parametrize("name", ["pynytprof", "my_pynytprof"])
def test_a_program_with_our_name_in_its_path_has_nothing_of_ours(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    program = tmp_path / name / "prog.py"
    program.write_text("import sys; print([m for m in sys.modules if 'pynytprof' in m])\n")
    assert run([PYTHON, str(program), "--of=pynytprof"], tmp_path).stdout == "[]\n"


@ONE
def test_what_one_interpreter_can_not_do_is_done_by_two(tmp_path: Path) -> None:
    """Where more than our own modules had to be imported, and for a pipe."""
    (tmp_path / "prog.py").write_text("import sys; print('re' in sys.modules)\n")
    if sys.version_info >= (3, 11):
        (tmp_path / "pyproject.toml").write_text("[tool.pynytprof]\nfile = 'other.out'\n")
        plain = starts(tmp_path, [PYTHON, "prog.py"])
        assert starts(tmp_path, [*PROFILER, "-q", "prog.py"]) == (2, plain[1])
        assert verify.verify(tmp_path / "other.out", quiet=True)
    assert starts(tmp_path, [*PROFILER, "-q", "-"])[0] == 2


def test_a_program_called_pynytprof_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "pynytprof").write_text("import sys; print(sys.argv)\n")
    (tmp_path / "other.py").write_text("print('never')\n")
    ran = run([PYTHON, "./pynytprof", "other.py"], tmp_path)
    assert ran == Outcome("['./pynytprof', 'other.py']\n", "", 0)
    assert not (tmp_path / "nytprof.out").exists()


def test_site_that_reads_our_file_again_begins_nothing(tmp_path: Path) -> None:
    """In a process that was started for the command, and runs the program itself."""
    text = (
        "import site, sysconfig, sys\nsite.addsitedir(sysconfig.get_path('purelib'), set())\n"
        "print(sys.argv, __file__)\n"
    )
    plain, ours = both(tmp_path, text, PYNYTPROF_TRACER="py")
    assert ours == plain
    plain, ours = both(tmp_path, text)
    assert ours == plain


def test_what_has_read_the_command_line_is_gone(tmp_path: Path) -> None:
    text = (
        "import gc\nprint([repr(x) for x in gc.get_objects() if isinstance(x, type) and "
        "x.__module__.startswith('pynytprof.') and x.__module__ != 'pynytprof._ctrace'])\n"
        "import pynytprof, types\nprint([k for k, v in vars(pynytprof).items() if isinstance(v, "
        "types.ModuleType) and k != '_ctrace'])\n"
    )
    assert both(tmp_path, text)[1] == Outcome("[]\n[]\n", "", 0)


# Not types on PYTHONPATH: Python's own runpy and pip's scripts need the true one.
SHADOWED = [
    (name, where)
    for name in ("platform", "signal", "token", "types", "argparse", "typing")
    for where in ("beside", "cwd", "PYTHONPATH")
    if (name, where) != ("types", "PYTHONPATH")
]


@pytest.mark.parametrize(("name", "where"), SHADOWED)
def test_a_module_called_like_a_standard_one(name: str, where: str, tmp_path: Path) -> None:
    """Beside the program it is the program's; in the current folder it is nobody's."""
    program = tmp_path / "app" / "main.py"
    program.parent.mkdir()
    program.write_text(f"import {name}\nprint(getattr({name}, 'WHO', 'standard'))\n")
    folder = {"beside": program.parent, "cwd": tmp_path, "PYTHONPATH": tmp_path / "lib"}[where]
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text("WHO = 'mine'\n")
    more = {"PYTHONPATH": str(folder)} if where == "PYTHONPATH" else {}
    # Not by -m: runpy itself would find the one in the current folder.
    script = [str(Path(PYTHON).with_name("pynytprof"))]
    profiler = script if os.path.exists(script[0]) and name == "types" else PROFILER
    plain = run([PYTHON, "app/main.py"], tmp_path, **more)
    ours = run([*profiler, "-q", "app/main.py"], tmp_path, **more)
    assert ours == plain


def test_a_program_that_starts_itself_again_by_orig_argv(tmp_path: Path) -> None:
    text = (
        "import os, subprocess, sys\ndef work(): pass\n"
        "if 'CHILD' in os.environ:\n    for i in range(5): work()\nelse:\n"
        "    subprocess.call([sys.executable, *sys.orig_argv[1:]], "
        "env={**os.environ, 'CHILD': '1'})\n"
    )
    plain, ours = both(tmp_path, text, "--children", "--merge")
    assert ours == plain
    assert calls(tmp_path / "nytprof.out", "__main__::work") == 5
    assert sorted(os.listdir(tmp_path)) == ["nytprof.out", "prog.py"]


def test_pynytprof_again_with_the_same_file_makes_a_part(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("def other(): pass\nother()\n")
    text = (
        "import subprocess, sys\ndef work(): pass\nwork()\n"
        "subprocess.run([sys.executable, '-m', 'pynytprof', '-q', 'other.py'], check=True)\n"
    )
    assert both(tmp_path, text, "--children", "--merge")[1] == Outcome("", "", 0)
    assert calls(tmp_path / "nytprof.out", "__main__::work") == 1
    assert calls(tmp_path / "nytprof.out", "__main__::other") == 1


def test_nothing_reaches_children_that_are_not_followed(tmp_path: Path) -> None:
    text = (
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import os, sys; "
        'print([k for k in os.environ if "NYTPROF" in k], '
        '[m for m in sys.modules if "nytprof" in m])\'], check=True)\n'
        "subprocess.run('env | grep -c NYTPROF', shell=True)\n"
    )
    plain, ours = both(tmp_path, text)
    assert ours == plain and plain.stdout == "[] []\n0\n"


def test_children_that_are_not_followed_are_counted(tmp_path: Path) -> None:
    text = (
        "import multiprocessing, os, subprocess, sys\n"
        "def work(): pass\n"
        "if __name__ == '__main__':\n"
        "    subprocess.run([sys.executable, '-c', 'pass'], check=True)\n"
        "    subprocess.run('true', shell=True)\n"
        "    pid = os.posix_spawn(sys.executable, [sys.executable, '-c', 'pass'], os.environ)\n"
        "    os.waitpid(pid, 0)\n"
        "    one = multiprocessing.get_context('spawn').Process(target=work)\n"
        "    one.start()\n    one.join()\n"
    )
    (tmp_path / "prog.py").write_text(text)
    written = "pynytprof: profile written to nytprof.out; to read it: nytprof nytprof.out\n"
    told = run([*PROFILER, "prog.py"], tmp_path)
    said = "pynytprof: 3 Pythons were started that are not in the profile: see --children\n"
    assert told == Outcome("", said + written, 0)
    assert run([*PROFILER, "--children", "--merge", "prog.py"], tmp_path).stderr == written
    assert run([*PROFILER, "-q", "prog.py"], tmp_path).stderr == ""


def test_getpid_mocked_at_the_end(tmp_path: Path) -> None:
    text = (
        "import pynytprof\nfrom unittest import mock\ndef work(): pass\n"
        "t = pynytprof.Tracer('t.out')\nt.start()\n"
        "mock.patch('os.getpid', return_value=4242).start()\n"
        "work()\nt.stop()\n"
        "mock.patch('signal.pthread_sigmask', side_effect=OSError).start()\n"
    )
    assert both(tmp_path, text, "--start=no")[1] == Outcome("", "", 0)
    assert calls(tmp_path / "t.out", "__main__::work") == 1
    text = "from unittest import mock\nmock.patch('os.getpid', side_effect=OSError).start()\n"
    text += "def work(): pass\nwork()\n"
    assert both(tmp_path, text)[1] == Outcome("", "", 0)
    assert calls(tmp_path / "nytprof.out", "__main__::work") == 1


@pytest.mark.parametrize(
    "broken",
    [
        "sys.path[:] = []; sys.path_importer_cache.clear()",
        "sys.modules.clear()",
        "import builtins; builtins.__import__ = None",
    ],
)
def test_a_merge_needs_nothing_of_the_import_system(broken: str, tmp_path: Path) -> None:
    text = (
        "import os, sys\ndef work(): pass\n"
        f"if os.fork() == 0:\n    work()\n    os._exit(0)\nos.wait()\nwork()\n{broken}\n"
    )
    plain, ours = both(tmp_path, text, "--merge")
    assert ours == plain
    assert calls(tmp_path / "nytprof.out", "__main__::work") == 2
    assert sorted(os.listdir(tmp_path)) == ["nytprof.out", "prog.py"]


@pytest.mark.parametrize("how", ["-i", "outside", "inside"])
def test_the_interpreter_that_stays(how: str, tmp_path: Path) -> None:
    inside = "import os; os.environ['PYTHONINSPECT'] = '1'\n" if how == "inside" else ""
    more = {"PYTHONINSPECT": "1"} if how == "outside" else {}
    flags = ["-i"] if how == "-i" else []
    (tmp_path / "prog.py").write_text(f"{inside}x = 5\n")
    given = "print(x)\nraise SystemExit(3)\n"
    outcomes = []
    for command in (["prog.py"], ["-m", "pynytprof", "-q", "prog.py"]):
        done = subprocess.run([PYTHON, *flags, *command], cwd=tmp_path, text=True, input=given,
                              env=environment(**more), capture_output=True, timeout=60)  # fmt: skip
        outcomes.append((done.stdout, done.stderr, done.returncode))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][2] == (3 if how == "-i" else 0)
    assert verify.verify(tmp_path / "nytprof.out", quiet=True)


def test_the_last_line_does_not_go_into_the_programs_file(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(
        "import os\nos.close(2)\n"
        "fd = os.open('data.bin', os.O_RDWR | os.O_CREAT)\nassert fd == 2\nos.write(fd, b'mine')\n"
    )
    assert run([*PROFILER, "prog.py"], tmp_path).status == 0
    assert (tmp_path / "data.bin").read_bytes() == b"mine"
    assert verify.verify(tmp_path / "nytprof.out", quiet=True)


ENDS = {
    "no descriptor left": "import os, resource\n"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\ntry:\n"
    "    while True: os.open('/dev/null', os.O_RDONLY)\nexcept OSError: pass\n",
    "chroot": "import os\nos.makedirs('jail', exist_ok=True)\nos.chroot('jail')\nos.chdir('/')\n",
    "another user": "import os\nos.setgid(65534)\nos.setuid(65534)\n",
    "the folder renamed": "import os\nos.rename(os.getcwd(), os.getcwd() + '.away')\n",
    "all closed": "import os\nos.closerange(3, 4096)\n",
}


@pytest.mark.parametrize("end", ENDS)
def test_ends_at_which_no_file_can_be_opened(end: str, tmp_path: Path) -> None:
    if os.geteuid() != 0 and end in ("chroot", "another user"):
        pytest.skip("needs root")
    (tmp_path / "sub").mkdir()
    text = "def work(): pass\n" + ENDS[end] + "for _ in range(7): work()\n"
    outcome = both(tmp_path / "sub", text)[1] if end != "the folder renamed" else None
    if outcome is None:
        (tmp_path / "sub" / "prog.py").write_text(text)
        outcome = run([*PROFILER, "-q", "prog.py"], tmp_path / "sub")
    assert outcome == Outcome("", "", 0)
    made = next(tmp_path.glob("sub*/nytprof.out"))
    assert calls(made, "__main__::work") == 7
    assert b"\n#Snapshot" not in made.read_bytes()


def test_a_killed_childs_part_is_named_as_such(tmp_path: Path) -> None:
    text = (
        "import os, signal, time\ndef work(): pass\nr, w = os.pipe()\npid = os.fork()\n"
        "if pid == 0:\n    work()\n    os.write(w, b'x')\n    while True: time.sleep(0.01)\n"
        "os.read(r, 1)\nos.kill(pid, signal.SIGKILL)\nos.waitpid(pid, 0)\nprint(pid)\n"
    )
    (tmp_path / "prog.py").write_text(text)
    outcome = run([*PROFILER, "-q", "--merge", "prog.py"], tmp_path)
    said = f"process {outcome.stdout.strip()} was killed: what it did after its last snapshot is "
    assert outcome.stderr == f"pynytprof: {said}missing\n"
    comments = reader.read(tmp_path / "nytprof.out").comments
    assert f"{said}missing" in [comment.strip() for comment in comments]


def test_empty_entries_of_pythonpath_stay(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("X = 1\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "child.py").write_text("import helper\nprint('ok', helper.X)\n")
    text = "import subprocess, sys\nsubprocess.run([sys.executable, 'sub/child.py'], check=True)\n"
    (tmp_path / "prog.py").write_text(text)
    for kept in (":", f":{environment()['PYTHONPATH']}"):
        plain = run([PYTHON, "prog.py"], tmp_path, PYTHONPATH=kept)
        ours = run([*PROFILER, "-q", "--children", "prog.py"], tmp_path, PYTHONPATH=kept)
        assert ours == plain and plain.stdout == "ok 1\n"


# ---- Files ----


def test_links_made_beforehand_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    text = (
        "import os\nfor n in range(1, 400):\n"
        "    for name in ('.tmp', '-1.tmp', '-2.tmp', ''):\n"
        "        os.symlink('victim', f'nytprof.out.{os.getpid() + n}{name}')\n"
        "os.execvp(os.environ['PY'], [os.environ['PY'], '-m', 'pynytprof', '-q', 'prog.py'])\n"
    )
    (tmp_path / "first.py").write_text(text)
    (tmp_path / "prog.py").write_text("import os\nif os.fork(): os.wait()\n")
    assert run([PYTHON, "first.py"], tmp_path, PY=PYTHON) == Outcome("", "", 0)
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "nytprof.out").is_symlink()
    assert verify.verify(tmp_path / "nytprof.out", quiet=True)


def test_a_profile_is_for_the_user_alone_unless_it_was_otherwise(tmp_path: Path) -> None:
    def mode(*options: str) -> int:
        assert both(tmp_path, "pass\n", *options)[1].status == 0
        return stat.S_IMODE((tmp_path / "nytprof.out").stat().st_mode)

    assert mode() == 0o600
    (tmp_path / "nytprof.out").chmod(0o640)
    assert mode() == 0o640
    (tmp_path / "nytprof.out").unlink()
    assert mode("--mode=644") == 0o644
    if os.geteuid() == 0:
        os.chown(tmp_path / "nytprof.out", 65534, 65534)
        mode()
        owner = (tmp_path / "nytprof.out").stat()
        assert (owner.st_uid, owner.st_gid) == (65534, 65534)


# ---- Costs that are kept ----


def test_costs_are_measured_once(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()

    def kept() -> list[bytes]:
        assert both(tmp_path, "pass\n", XDG_CACHE_HOME=str(cache))[1] == Outcome("", "", 0)
        return [p.read_bytes() for p in sorted((cache / "pynytprof").glob("*"))]

    first = kept()
    assert len(first) == 1 and kept() == first
    file = next((cache / "pynytprof").glob("costs-*"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for damage in (first[0][:-9], first[0].replace(b" ", b" 9", 1), b"", b"\0" * 5000):
        file.write_bytes(damage)
        assert kept() != [damage], damage
    file.write_bytes(first[0])
    file.chmod(0o666)  # anybody may have written it
    os.utime(file, (1, 1))
    assert kept() and file.stat().st_mtime > 1


def test_costs_are_measured_where_nothing_can_be_kept(tmp_path: Path) -> None:
    more = {"XDG_CACHE_HOME": "/dev/null/none"}
    assert both(tmp_path, "pass\n", **more)[1] == Outcome("", "", 0)
    assert verify.verify(tmp_path / "nytprof.out", quiet=True)
