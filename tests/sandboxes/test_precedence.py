"""Timed processes come before others, where this user may say so; and it can be taken back."""

import os
import subprocess
import sys

import pytest

from kernelopt.sandboxes import Limits
from kernelopt.sandboxes._precedence import URGENT, USUAL, precede
from kernelopt.sandboxes.process import ProcessSandbox


@pytest.fixture
def sleeper():
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command, start_new_session=True) as process:
        yield process.pid
        process.kill()


def nice(pid):
    return os.getpriority(os.PRIO_PROCESS, pid)


def test_a_process_group_is_given_precedence_and_loses_it_again(sleeper):
    if not precede(sleeper):
        pytest.skip("this user may not raise priorities")
    assert nice(sleeper) == URGENT
    assert precede(sleeper, USUAL)
    assert nice(sleeper) == 0


def test_a_process_that_is_gone_has_none():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        assert not precede(process.pid)


def test_jobs_start_without_it_whatever_the_warm_worker_has(tmp_path):
    sandbox = ProcessSandbox()
    try:
        folder = sandbox.room / "job-precedence"
        folder.mkdir()
        job = sandbox.start(folder, Limits())
        assert nice(job._link.peer()) == 0
        if job.precede(urgent=True):
            assert nice(job._link.peer()) == URGENT
        job.close()
    finally:
        sandbox.close()
