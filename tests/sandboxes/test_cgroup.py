"""Control groups: where one may be made, by the layout of the machine, and that it counts."""

import subprocess
import sys

import pytest

from kernelopt.sandboxes import _cgroup
from kernelopt.sandboxes._cgroup import Cage, make_cage

MIB = 1 << 20


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Lay out control groups: where they are mounted, in which we are, and folders with their files."""

    def lay(mounts, own, folders):
        (tmp_path / "mounts").write_text(mounts.replace("ROOT", str(tmp_path)))
        (tmp_path / "own").write_text(own)
        monkeypatch.setattr(_cgroup, "MOUNTS", tmp_path / "mounts")
        monkeypatch.setattr(_cgroup, "OWN", tmp_path / "own")
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True)
        return tmp_path

    return lay


def grows_files(monkeypatch, *names_of):
    """Like the kernel: a new group has the files of the controllers that its parent hands down."""
    original = _cgroup.Path.mkdir

    def mkdir(path, *args, **kwargs):
        original(path, *args, **kwargs)
        for parent, names in names_of:
            if path.parent == parent:
                for name in ("cgroup.procs", *names):
                    (path / name).write_text("")

    monkeypatch.setattr(_cgroup.Path, "mkdir", mkdir)
    monkeypatch.setattr(_cgroup, "_removed", lambda folder: True)


V2 = "cgroup2 ROOT/cg cgroup2 rw 0 0\n"


def test_in_version_2_the_nearest_group_that_hands_down_both_controllers(machine, monkeypatch):
    root = machine(V2, "0::/user.slice/app.scope\n", ["cg/user.slice/app.scope"])
    grows_files(
        monkeypatch,
        (root / "cg/user.slice/app.scope", []),  # it holds processes, so it hands nothing down
        (root / "cg/user.slice", ["memory.max", "pids.max", "memory.swap.max"]),
        (root / "cg", ["memory.max", "pids.max"]),
    )
    cage = make_cage()
    (place,) = cage._places()
    assert place.parent == root / "cg/user.slice"
    cage.limit(7 * MIB, 5)
    assert (place / "memory.max").read_text() == str(7 * MIB)
    assert (place / "memory.swap.max").read_text() == "0"
    assert (place / "pids.max").read_text() == "5"


def test_in_version_1_each_controller_has_a_group_of_its_own(machine, monkeypatch):
    mounts = "cgroup ROOT/m cgroup rw,memory 0 0\ncgroup ROOT/p cgroup rw,pids 0 0\n" + V2
    own = "4:memory:/a\n8:pids:/\n0::/\n"
    root = machine(mounts, own, ["m/a", "p", "cg"])
    swap = "memory.memsw.limit_in_bytes"
    grows_files(
        monkeypatch,
        (root / "m/a", ["memory.limit_in_bytes", swap]),
        (root / "p", ["pids.max"]),
        (root / "cg", []),
    )
    cage = make_cage()
    memory, pids = cage._places()
    assert (memory.parent, pids.parent) == (root / "m/a", root / "p")
    cage.limit(7 * MIB, 5)
    assert (memory / "memory.limit_in_bytes").read_text() == (memory / swap).read_text() == str(7 * MIB)
    assert (pids / "pids.max").read_text() == "5"


@pytest.mark.parametrize("own", ["0::/\n", "4:memory:/gone\n8:pids:/\n", ""])
def test_where_there_is_no_place_there_is_no_group(machine, own):
    machine(
        V2 + "cgroup ROOT/m cgroup rw,memory 0 0\ncgroup ROOT/p cgroup rw,pids 0 0\n", own, ["cg", "m", "p"]
    )
    assert make_cage() is None


def test_groups_of_judges_that_are_gone_are_removed(machine):
    root = machine(V2, "0::/\n", ["cg/kernelopt-4194304999-0", "cg/kernelopt-1-0", "cg/other-4194304999-0"])
    assert make_cage() is None
    left = {path.name for path in (root / "cg").iterdir()}
    assert left == {"kernelopt-1-0", "other-4194304999-0"}


@pytest.fixture
def cage():
    made = make_cage()
    if made is None:
        pytest.skip("this user may make no control groups")
    yield made
    made.remove()


def run(cage, code):
    return subprocess.run(cage.enter([sys.executable, "-S", "-c", code]), capture_output=True, check=False)


def test_memory_of_all_processes_is_counted_together(cage):
    cage.limit(96 * MIB, 50)
    code = f"""
import os
for _ in range(4):
    if os.fork() == 0:
        block = b"x" * {40 * MIB}
        import time; time.sleep(2)
        os._exit(0)
ends = [os.wait()[1] for _ in range(4)]
print(sum(end == 0 for end in ends))
"""
    done = run(cage, code)
    assert done.returncode != 0 or int(done.stdout) < 4


def test_processes_are_counted_together(cage):
    cage.limit(512 * MIB, 8)
    done = run(
        cage, "import os, time\nfor _ in range(20):\n    if os.fork() == 0: time.sleep(1); os._exit(0)"
    )
    assert b"BlockingIOError" in done.stderr


def test_removing_kills_what_is_inside(cage):
    process = subprocess.Popen(cage.enter(["/bin/sleep", "600"]))
    while not any(_cgroup._members(place) for place in cage._places()):
        pass
    cage.remove()
    assert process.wait(10) == -9
    assert not any(place.exists() for place in cage._places())


def test_a_group_that_takes_no_processes_is_no_use(tmp_path):
    assert not Cage(1, {"memory": tmp_path / "none", "pids": tmp_path / "none"}).takes_processes()
