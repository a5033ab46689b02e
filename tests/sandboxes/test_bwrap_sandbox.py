"""Sandbox `bwrap`: the contract, the level that it proves, and what it does where it cannot run."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kernel_facts import LANDLOCK, may_make_groups

from kernelopt.errors import EvaluatorFault
from kernelopt.sandboxes import _local, bwrap
from kernelopt.sandboxes import _proof as proof
from kernelopt.sandboxes._confinement import NOBODY
from kernelopt.sandboxes._local import worker_command
from kernelopt.sandboxes.bwrap import BwrapSandbox
from kernelopt.testing import SandboxContract
from kernelopt.testing._job import attempt, works
from kernelopt.testing._sandbox_limits import Bounds
from kernelopt.testing.sandboxes import PROMISES


def missing():
    made = BwrapSandbox()
    try:
        return made.missing()
    finally:
        made.close()


MISSING = missing()
CAGED = may_make_groups()
needs_bwrap = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
KEPT = PROMISES - (set() if CAGED else {"memory-bomb", "disk-fill"})


@pytest.fixture(scope="module")
def sandbox():
    made = BwrapSandbox()
    yield made
    made.close()


@needs_bwrap
class TestBwrapSandbox(SandboxContract):
    # Without Landlock, jobs of one sandbox are not kept apart.
    stops = KEPT if LANDLOCK >= 1 else KEPT - {"write-outside"}


@pytest.fixture(scope="module")
def without_groups():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_local, "make_cage", lambda: None)
        made = BwrapSandbox()
        works(made)
    yield made
    made.close()


@needs_bwrap
class TestBwrapWithoutControlGroups(Bounds):
    """As for a user who may make no groups."""

    stops = frozenset({"fork-bomb"})

    @pytest.fixture
    def sandbox(self, without_groups):
        return without_groups

    def test_the_level_says_so(self, sandbox):
        assert works(sandbox)
        assert sandbox.level == "bwrap (limits: rlimits)"


@needs_bwrap
def test_the_level_is_not_claimed_before_it_was_proven(sandbox):
    fresh = BwrapSandbox()
    assert fresh.level == "bwrap (not started)"
    fresh.close()
    assert works(sandbox)
    assert sandbox.level == ("bwrap" if CAGED else "bwrap (limits: rlimits)")


@needs_bwrap
def test_a_limit_that_does_not_hold_is_stamped(monkeypatch):
    class Loose:
        """A group that takes processes and limits nothing."""

        def enter(self, command):
            return list(command)

        def limit(self, memory_bytes, processes):
            pass

        def remove(self):
            pass

    monkeypatch.setattr(_local, "make_cage", Loose)
    monkeypatch.setattr(bwrap, "make_cage", Loose)
    made = BwrapSandbox()
    try:
        assert works(made)
    finally:
        made.close()
    assert made.level == "bwrap (memory limit not enforced, process limit not enforced)"


@pytest.mark.parametrize(
    ("code", "level"),
    [
        (64, "bwrap"),
        (64 | 1, "bwrap (memory limit not enforced)"),
        (64 | 4 | 16, "bwrap (network reachable, no seccomp filter)"),
    ],
)
def test_what_a_probe_found_is_told_in_words(code, level):
    assert proof.level("bwrap", proof.gaps(code)) == level


@pytest.mark.parametrize("code", [0, 1, 127, -9])
def test_a_probe_that_did_not_end_proves_nothing(code):
    with pytest.raises(EvaluatorFault):
        proof.gaps(code)


@needs_bwrap
def test_it_runs_as_nobody_who_owns_nothing(sandbox):
    source = (
        "import os\nprint(os.getresuid(), os.getresgid(), os.getgroups())\nprint(os.stat('/dev/null').st_uid)"
    )
    ids, owner = attempt(sandbox, source).log.splitlines()[:2]
    assert ids.startswith(f"{(NOBODY,) * 3} {(NOBODY,) * 3}")
    assert (owner == "0") == (os.geteuid() == 0)  # in a user namespace, root is nobody too


@needs_bwrap
def test_only_the_system_python_and_our_code_are_there(sandbox):
    listed = sandbox._run(["/bin/ls", "-A", "/", "/etc", "/tmp"]).stdout.decode().split()
    assert {"usr", "bin", "passwd", "ld.so.cache", "/tmp:"} <= set(listed)
    assert not {"home", "var", "boot", "mnt", "shadow", "hosts", "ssh", "resolv.conf"} & set(listed)
    ours = {Path(each).resolve().parts[2] for each in (sys.prefix, __file__) if each.startswith("/tmp/")}
    assert set(listed[listed.index("/tmp:") + 1 :]) <= ours  # where our own code lies there


@needs_bwrap
def test_readable_folders_are_shown_and_cannot_be_written(tmp_path):
    shown = tmp_path / "cache" / "new"
    made = BwrapSandbox([shown])
    try:
        assert works(made)
        assert stat.S_ISDIR(shown.stat().st_mode)  # made by us: what comes into it later is seen
        shown.parent.chmod(0o755)
        (shown / "word").write_text("hello")
        (shown / "word").chmod(0o644)
        log = attempt(
            made, f"print(open({str(shown / 'word')!r}).read())\nopen({str(shown / 'x')!r}, 'w')"
        ).log
    finally:
        made.close()
    assert log.startswith("hello")
    assert not (shown / "x").exists()


@needs_bwrap
def test_the_worker_is_known_and_not_what_started_it(sandbox):
    assert works(sandbox)
    command = Path("/proc", str(sandbox._zygote._channel.pid), "cmdline").read_text().split("\0")
    assert command[0] == worker_command()[0]


@needs_bwrap
def test_it_outlives_the_thread_that_started_it():
    made = BwrapSandbox()
    thread = threading.Thread(target=works, args=(made,))
    thread.start()
    thread.join()
    try:
        life = made._zygote.life
        assert works(made)
        assert made._zygote.life == life
    finally:
        made.close()


def test_where_bubblewrap_is_not_installed_the_way_to_get_it_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert "apt-get install bubblewrap" in missing()


def test_where_namespaces_are_forbidden_the_way_to_allow_them_is_told(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = missing()
    assert "No permissions to create a new namespace" in said
    assert "kernel.unprivileged_userns_clone" in said
    assert "\n" not in said


@needs_bwrap
def test_a_trial_that_hangs_is_told(monkeypatch):
    def hang(*_, **__):
        raise subprocess.TimeoutExpired("bwrap", 1.0)

    monkeypatch.setattr(subprocess, "run", hang)
    assert "did not start" in missing()
