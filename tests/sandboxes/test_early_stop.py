"""A job that stops itself is taken to be done then, unless another process of its goes on with the work."""

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
