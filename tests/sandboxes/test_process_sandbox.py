"""What the `process` sandbox stops, one attack a test, and that the next job works after each."""

import os
import time

import psutil
import pytest
from attack import HARMLESS, load, works

from kernelopt.evaluation import Status
from kernelopt.sandboxes import Limits
from kernelopt.sandboxes.process import ProcessSandbox


@pytest.fixture(scope="module")
def sandbox():
    made = ProcessSandbox()
    yield made
    made.close()


def test_an_honest_module_loads(sandbox):
    stopped, _, ended = load(sandbox, HARMLESS)
    assert stopped is None
    assert ended == "exit 0"


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("import os; os._exit(0)", Status.CRASHED, "exit 0"),
        ("import os; os.abort()", Status.CRASHED, "SIGABRT"),
        ("import ctypes; ctypes.string_at(8)", Status.CRASHED, "SIGSEGV"),
        ("raise ValueError('mine')", Status.CRASHED, "mine"),
        ("raise KeyboardInterrupt", Status.CRASHED, "KeyboardInterrupt"),
        ("import sys; sys.exit(0)", Status.CRASHED, "SystemExit"),
        ("x = bytearray(1 << 44)", Status.OUT_OF_MEMORY, "MemoryError"),
    ],
)
def test_however_a_module_ends_it_is_data(sandbox, source, status, words):
    stopped, _, _ = load(sandbox, source)
    assert stopped.status is status
    assert words in stopped.reason
    assert works(sandbox)


def test_an_endless_loop_is_stopped(sandbox):
    stopped, _, ended = load(sandbox, "while True: pass", timeout_s=1.0)
    assert stopped.status is Status.TIMED_OUT
    assert "SIGKILL" in ended
    assert works(sandbox)


def test_ignoring_signals_does_not_help(sandbox):
    source = """
import signal
for number in set(range(1, 32)) - {9, 19}:
    signal.signal(number, signal.SIG_IGN)
while True: pass
"""
    stopped, _, ended = load(sandbox, source, timeout_s=1.0)
    assert stopped.status is Status.TIMED_OUT
    assert "SIGKILL" in ended
    assert works(sandbox)


def test_processes_left_behind_are_killed(sandbox, tmp_path):
    note = tmp_path / "pid"
    source = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({str(note)!r}, "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
time.sleep(0.5)
{HARMLESS}"""
    load(sandbox, source)
    pid = int(note.read_text())
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"
    assert works(sandbox)


def test_the_environment_holds_no_secret(sandbox, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    fresh = ProcessSandbox()
    try:
        _, log, _ = load(fresh, f"import os; print(dict(os.environ))\n{HARMLESS}")
    finally:
        fresh.close()
    assert "sk-secret" not in log
    assert "PATH" in log


def test_no_descriptor_of_ours_is_open(sandbox):
    source = f"""
import os
for fd in sorted(os.listdir('/proc/self/fd')):
    try:
        print(fd, os.readlink(f'/proc/self/fd/{{fd}}'))
    except OSError:
        pass
{HARMLESS}"""
    _, log, _ = load(sandbox, source)
    targets = [line.split(" ", 1)[1] for line in log.strip().splitlines()]
    assert sum(target.startswith("socket:") for target in targets) == 1  # its own link to the judge
    assert not any(target.startswith("pipe:") or "pidfd" in target for target in targets)


def test_output_without_end_is_cut_and_harmless(sandbox):
    source = f"""
import sys
try:
    while True: sys.stdout.write('x' * 65536)
except OSError: pass
sys.stdout = None
{HARMLESS}"""
    _, log, _ = load(sandbox, source, limits=Limits(file_bytes=1 << 20))
    assert len(log) <= 4000
    assert works(sandbox)


@pytest.mark.parametrize(
    "payload", ["b'\\xff\\xff\\xff\\xffhello'", "b'\\0\\0\\0\\4nope'", "b'\\0\\0\\0\\2[]'"]
)
def test_nonsense_on_the_link_is_a_crash_not_a_fault(sandbox, payload):
    source = f"""
import os, time
for fd in range(3, 64):
    try:
        if os.readlink(f"/proc/self/fd/{{fd}}").startswith("socket:"):
            os.write(fd, {payload})
    except OSError:
        pass
time.sleep(1)
"""
    stopped, _, _ = load(sandbox, source, timeout_s=5.0)
    assert stopped is not None
    assert stopped.status in (Status.CRASHED, Status.TIMED_OUT)
    assert works(sandbox)


def test_limits_hold(sandbox):
    source = f"""
from resource import *
print(getrlimit(RLIMIT_AS)[1], getrlimit(RLIMIT_CORE)[1])
{HARMLESS}"""
    _, log, _ = load(sandbox, source, limits=Limits(memory_bytes=3 << 30))
    assert log.split() == [str(3 << 30), "0"]


def test_a_killed_warm_worker_is_replaced(sandbox):
    assert works(sandbox)
    os.kill(sandbox._zygote._process.pid, 9)
    time.sleep(0.2)
    assert works(sandbox)


def test_it_says_what_it_does_not_stop():
    import kernelopt.sandboxes.process as module

    assert "does not stop" in module.__doc__
