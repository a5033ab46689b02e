"""A job is done when it stops itself, if it is alone, and idle when none of its processes has worked."""

import os
import signal
import time
from contextlib import closing

import pytest

from kernelopt.sandboxes.process import ProcessSandbox
from kernelopt.testing._job import job, load

LATE_S = 0.3
HELPED = """
import json, os, signal, struct, time

def wire():
    for fd in map(int, os.listdir("/proc/self/fd")):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                return fd
        except OSError:
            pass

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
LINK = wire()
if os.fork() == 0:
    time.sleep(LATE_S)
    body = json.dumps({"ok": True}).encode()
    os.write(LINK, struct.pack("!I", len(body)) + body)
    os._exit(0)
os.kill(os.getpid(), signal.SIGSTOP)
""".replace("LATE_S", str(LATE_S))
ALONE = """
class ModelNew:
    def __call__(self, x):
        return x
"""


@pytest.fixture(scope="module")
def sandbox():
    with closing(ProcessSandbox()) as made:
        yield made


def test_a_helper_that_outlives_the_stop_is_waited_for(sandbox):
    """It answers when the job has long stopped, and is gone when the judge looks."""
    with job(sandbox) as (folder, started):
        assert load(folder, started, HELPED, 30.0) == {"ok": True}
        answered_ns = time.monotonic_ns()
        time.sleep(0.05)  # the helper has ended
        started.pause(answered=True)
        assert answered_ns - started.paused_at_ns < LATE_S / 2 * 1e9


def test_a_job_that_is_alone_is_done_when_it_stops(sandbox):
    with job(sandbox) as (folder, started):
        assert load(folder, started, ALONE, 30.0)["ok"]
        started.send({"do": "batch", "with": {"calls": []}})
        assert started.receive(30.0)["ok"]
        time.sleep(LATE_S)
        asked_ns = time.monotonic_ns()
        started.pause(answered=True)
        assert asked_ns - started.paused_at_ns > LATE_S / 2 * 1e9


TWO = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for name in ("one", "other"):
    if (pid := os.fork()) == 0:
        while True:
            pass
    open(name, "w").write(str(pid))
time.sleep(LATE_S)
""".replace("LATE_S", str(LATE_S))


def test_a_process_that_is_gone_does_not_make_up_for_what_another_one_did(sandbox):
    """The job is stopped; from outside, one process is ended and the other one let go on."""
    with job(sandbox) as (folder, started):
        assert load(folder, started, TWO + ALONE, 30.0)["ok"]
        one, other = (int((folder / name).read_text()) for name in ("one", "other"))
        before = started.pause()
        os.kill(one, signal.SIGKILL)
        os.kill(other, signal.SIGCONT)
        time.sleep(0.1)
        assert started.resume() - before > 20e6
