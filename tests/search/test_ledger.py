"""Paid once, kept at once, asked for again never."""

import pytest

from kernelopt.errors import LMError, TaskError
from kernelopt.evaluation import Evaluation, Stage, Status
from kernelopt.kernel import Kernel
from kernelopt.lms import Completion, Prompt
from kernelopt.search.budget import Budget, Meter
from kernelopt.search.ledger import Ledger
from kernelopt.store.run import create_run
from kernelopt.task import Task

TASK = Task(id="1/2", name="2_x", source="", suite="s")
KERNEL = Kernel.from_source("class ModelNew: ...", "cpp")
PROMPT = Prompt("s", "u")


class Model:
    name = "counting"

    def __init__(self):
        self.asked = 0

    def missing(self):
        return None

    def complete(self, prompt):
        self.asked += 1
        return Completion(f"answer {self.asked}", cost_usd=0.25)


class Executor:
    def __init__(self, error=None):
        self.done, self.error = 0, error

    def evaluate(self, kernel, task):
        if self.error:
            raise self.error
        self.done += 1
        status = Status.WRONG_VALUE
        return Evaluation(task.id, "s", kernel.hash, "cpp", "cpu", "process", status, Stage.CHECK, "because")


@pytest.fixture
def run(tmp_path):
    with create_run(tmp_path, "r", {"suite": "own", "language": "cpp", "tasks": []}) as made:
        yield made


def ledger(run, executor=None):
    model, meter = Model(), Meter(Budget())
    made = Ledger(run, {"task": model, "reflection": model}, executor or Executor(), meter)
    return made, model, meter


def test_a_call_is_made_once_and_paid_once(run):
    books, model, meter = ledger(run)
    first = books.ask("task", "key", PROMPT)
    assert books.ask("task", "key", PROMPT) == first
    assert model.asked == 1
    assert meter.used().usd == 0.25
    assert len((run.folder / "transcript.jsonl").read_text().splitlines()) == 1


def test_another_session_finds_the_answer_in_the_journal(run):
    answer = ledger(run)[0].ask("task", "key", PROMPT)
    books, model, _ = ledger(run)
    assert books.ask("task", "key", PROMPT) == answer
    assert model.asked == 0


def test_another_question_under_a_known_key_is_refused(run):
    books, _, _ = ledger(run)
    books.ask("task", "key", PROMPT)
    with pytest.raises(LMError, match="start a new run"):
        books.ask("task", "key", Prompt("s", "different"))


def test_a_kernel_is_evaluated_once_and_its_source_is_kept(run):
    executor = Executor()
    books, _, _ = ledger(run, executor)
    first, cached = books.evaluate(KERNEL, TASK)
    again, cached_again = books.evaluate(KERNEL, TASK)
    assert (cached, cached_again) == (False, True)
    assert first == again
    assert executor.done == 1
    (event,) = run.journal.read("evaluation")
    assert run.artifacts.get(event.data["source"]) == KERNEL.source


def test_a_task_that_is_broken_itself_costs_the_task_not_the_search(run):
    books, _, _ = ledger(run, Executor(TaskError("task 1/2: get_inputs() failed")))
    found, _ = books.evaluate(KERNEL, TASK)
    assert found.status is Status.CRASHED
    assert "the task itself is broken" in found.reason
