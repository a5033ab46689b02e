"""A stopped job stays stopped: it can have nothing send it SIGCONT, the one signal that ends a stop."""

import time
from contextlib import closing

import pytest

from kernelopt.registry import get
from kernelopt.testing._job import job, load

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

BUSY = """
import ctypes, fcntl, os, signal, socket, stat, struct, threading

def spin():
    while True:
        pass

threading.Thread(target=spin, daemon=True).start()
try:
    {attack}
except OSError:
    pass

class ModelNew:
    def __call__(self, x):
        return x
"""
TIMER = """
    signal.signal(signal.SIGCONT, lambda *_: None)  # or recent kernels would not repeat it
    libc, timer = ctypes.CDLL(None), ctypes.c_void_p()
    event = struct.pack("Qii48x", 0, signal.SIGCONT, 0)
    if libc.timer_create(1, event, ctypes.byref(timer)) == 0:
        libc.timer_settime(timer, 0, struct.pack("4q", 0, 2_000_000, 0, 2_000_000), None)
"""
FOLDER = """
    here = os.open(".", os.O_RDONLY)
    fcntl.fcntl(here, fcntl.F_SETSIG, signal.SIGCONT)
    fcntl.fcntl(here, fcntl.F_NOTIFY, fcntl.DN_CREATE | fcntl.DN_MULTISHOT)
"""
MESSAGE = """
    for wire in [int(fd) for fd in os.listdir("/proc/self/fd")]:
        if wire > 2 and stat.S_ISSOCK(os.fstat(wire).st_mode):
            fcntl.fcntl(wire, fcntl.F_SETOWN, os.getpid())
            fcntl.fcntl(wire, fcntl.F_SETSIG, signal.SIGCONT)
            fcntl.fcntl(wire, fcntl.F_SETFL, fcntl.fcntl(wire, fcntl.F_GETFL) | os.O_ASYNC)
"""
ROUNDING_NS = 2_000_000


@pytest.fixture(scope="module", params=["process", "bwrap", "docker"])
def sandbox(request):
    made = get("sandboxes", request.param)()
    with closing(made):
        if problem := made.missing():
            pytest.skip(problem)
        yield made


def nothing(folder, started):
    pass


def new_file(folder, started):
    (folder / "new").touch()


def next_order(folder, started):
    started.send({"do": "fetch", "with": {"call": 0}})


@pytest.mark.parametrize(
    ("attack", "event"),
    [(TIMER, nothing), (FOLDER, new_file), (MESSAGE, next_order)],
    ids=["timer", "folder", "message"],
)
def test_a_stopped_job_gets_no_processor_time(sandbox, attack, event):
    with job(sandbox) as (folder, started):
        assert load(folder, started, BUSY.replace("{attack}", attack.strip()), 30.0)["ok"]
        before = started.pause()
        event(folder, started)
        time.sleep(0.05)
        assert started.resume() - before < ROUNDING_NS
