"""What the judge reads back of a job's folder is what the job wrote there, and nothing that it points to."""

import pytest

from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.worker import Setup, Worker
from kernelopt.sandboxes import Limits
from kernelopt.sandboxes.process import ProcessSandbox

SETUP = Setup("ModelNew", [], {}, 0, 1)


@pytest.fixture(scope="module")
def sandbox():
    made = ProcessSandbox()
    yield made
    made.close()


def log_of(sandbox, source):
    """The log of a module that stops, as it goes into the verdict."""
    worker = Worker(sandbox, Limits())
    try:
        with pytest.raises(Stopped):
            worker.load({"kernel.py": source}, "kernel.py", SETUP, lambda _: {"ok": False}, timeout_s=20.0)
        return worker.log()
    finally:
        worker.close()


def test_a_log_is_read(sandbox):
    assert "printed" in log_of(sandbox, "print('printed', flush=True)\nraise ValueError")


@pytest.mark.parametrize("swap", ["os.symlink({path!r}, 'log.txt')", "os.link({path!r}, 'log.txt')"])
def test_a_link_in_place_of_the_log_is_not_followed(sandbox, tmp_path, swap):
    secret = tmp_path / "secret"
    secret.write_text("planted")
    source = f"import os\nos.unlink('log.txt')\n{swap.format(path=str(secret))}\nraise ValueError"
    assert "planted" not in log_of(sandbox, source)


def test_a_pipe_in_place_of_the_log_does_not_hold_the_judge_up(sandbox):
    source = "import os\nos.unlink('log.txt')\nos.mkfifo('log.txt')\nraise ValueError"
    assert log_of(sandbox, source) == ""
