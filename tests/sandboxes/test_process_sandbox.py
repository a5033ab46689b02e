"""Sandbox `process`: the contract, as far as this kernel allows it to keep it, and what is its own."""

import os

import pytest
from kernel_facts import LANDLOCK, may_make_groups

from kernelopt.sandboxes import Limits
from kernelopt.sandboxes.process import ProcessSandbox
from kernelopt.testing import SandboxContract
from kernelopt.testing._job import attempt, eventually, works


def promises():
    """What this machine lets it keep. It claims none of that (see its docstring)."""
    kept = {"network", "host-sockets"}
    kept |= {"write-outside", "read-files", "look-at-processes"} if LANDLOCK >= 1 else set()
    kept |= {"signals"} if LANDLOCK >= 6 else set()
    kept |= {"memory-bomb", "fork-bomb", "disk-fill"} if may_make_groups() else set()
    return frozenset(kept | ({"fork-bomb"} if os.geteuid() else set()))


@pytest.fixture(scope="module")
def sandbox():
    made = ProcessSandbox()
    yield made
    made.close()


class TestProcessSandbox(SandboxContract):
    stops = promises()


def test_its_limits_are_those_of_the_job(sandbox):
    source = (
        "from resource import *\nprint(getrlimit(RLIMIT_AS)[1], getrlimit(RLIMIT_CORE)[1])\nModelNew = int"
    )
    assert attempt(sandbox, source, limits=Limits(memory_bytes=3 << 30)).log.split() == [str(3 << 30), "0"]


def test_a_killed_warm_worker_is_replaced(sandbox):
    assert works(sandbox)
    process = sandbox._zygote._channel.process
    process.kill()
    process.wait()
    assert works(sandbox)


def test_it_keeps_no_privileges(sandbox):
    log = attempt(sandbox, "print(open('/proc/self/status').read())\nModelNew = int").log
    status = dict(line.split(":\t", 1) for line in log.splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) in (0, 4)  # at most CAP_DAC_READ_SEARCH
    assert int(status["CapBnd"], 16) in (0, 4) or os.geteuid() != 0
    assert status["NoNewPrivs"] == "1"


def test_a_group_of_its_own_goes_when_it_is_closed():
    made = ProcessSandbox()
    assert works(made)
    cage, room = made._cage, made.room
    made.close()
    assert not room.exists()
    assert cage is None or eventually(lambda: not any(place.exists() for place in cage._places()))


def test_it_says_what_it_does_not_stop():
    import kernelopt.sandboxes.process as module

    assert "does not stop" in module.__doc__
