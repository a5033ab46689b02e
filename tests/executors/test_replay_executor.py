"""Evaluations out of another run's journal."""

import pytest

from kernelopt.errors import StoreError, UnknownName
from kernelopt.evaluation import Evaluation, Stage, Status, to_json
from kernelopt.executors._open import open_executor
from kernelopt.kernel import Kernel
from kernelopt.store.run import create_run
from kernelopt.task import Task

KERNEL = Kernel.from_source("class ModelNew: ...", "cpp")
TASK = Task(id="1/2", name="2_x", source="", suite="s")
FOUND = Evaluation(
    "1/2", "s", KERNEL.hash, "cpp", "cpu", "process", Status.WRONG_VALUE, Stage.CHECK, "because"
)


@pytest.fixture
def recorded(tmp_path):
    manifest = {"suite": "own", "language": "cpp", "tasks": [], "machine": {"model": "Abacus"}}
    with create_run(tmp_path, "first", manifest) as run:
        run.journal.append("evaluation", f"1-2:{KERNEL.hash}", {**to_json(FOUND), "source": "feed"})
    return open_executor(f"replay:{tmp_path / 'first'}", "process")


def test_it_gives_what_was_recorded(recorded):
    assert recorded.evaluate(KERNEL, TASK) == FOUND
    assert recorded.describe()["model"] == "Abacus"


def test_it_is_strict(recorded):
    with pytest.raises(StoreError, match="was not evaluated on task 1/2"):
        recorded.evaluate(Kernel.from_source("other", "cpp"), TASK)


def test_an_unknown_run_is_refused(tmp_path):
    with pytest.raises(UnknownName):
        open_executor(f"replay:{tmp_path / 'gone'}", "process")


def test_an_unknown_executor_is_refused():
    with pytest.raises(UnknownName, match="local"):
        open_executor("cloud", "process")
