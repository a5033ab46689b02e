"""One user of a GPU at a time."""

import subprocess
import sys

import pytest

from kernelopt.errors import MissingTool
from kernelopt.gpu.lease import lease, lock_path

HOLD = """
import sys
from kernelopt.gpu.lease import lease
with lease("GPU-1"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))


@pytest.fixture
def holder():
    """Another process that holds GPU-1."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_who_comes_second_is_told_in_a_sentence(holder):
    with pytest.raises(MissingTool, match="GPU GPU-1 is in use by another measurement"), lease("GPU-1"):
        pass


def test_another_gpu_is_free(holder):
    with lease("GPU-2"):
        pass


def test_a_holder_that_was_killed_holds_nothing(holder):
    holder.kill()
    holder.wait()
    with lease("GPU-1", timeout_s=5):
        pass


def test_it_is_free_again_afterwards():
    for _ in range(2):
        with lease("GPU-1"):
            pass


def test_a_name_cannot_leave_the_folder(tmp_path):
    assert lock_path("../../etc/x").parent == tmp_path / "leases"
