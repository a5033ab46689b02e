"""Workers end while the judge goes on."""

import threading

import pytest

from kernelopt.evaluator.workers.endings import Endings
from kernelopt.evaluator.workers.worker import Setup, Worker
from kernelopt.sandboxes import Limits
from kernelopt.sandboxes.process import ProcessSandbox
from kernelopt.testing._job import HARMLESS


@pytest.fixture(scope="module")
def sandbox():
    made = ProcessSandbox()
    yield made
    made.close()


@pytest.fixture
def endings():
    made = Endings()
    yield made
    made.close()


def loaded(sandbox):
    worker = Worker(sandbox, Limits())
    worker.load({"k.py": HARMLESS}, "k.py", Setup("ModelNew", (), {}, 0, 1), lambda _: {}, timeout_s=30)
    return worker


def test_once_they_were_waited_for_all_of_them_are_gone(sandbox, endings):
    workers = [loaded(sandbox) for _ in range(3)]
    for worker in workers:
        endings.add(worker)
    endings.wait()
    assert not any(worker.folder.exists() for worker in workers)
    assert {worker.ended for worker in workers} <= {"signal 9 (SIGKILL)", "exit 0"}  # it may see us hang up
    assert not [each for each in sandbox.room.iterdir() if each.name.startswith("job-")]


def test_the_next_one_starts_before_the_last_one_is_gone(sandbox, endings, monkeypatch):
    free = threading.Event()
    first = loaded(sandbox)
    end = first._job.close
    monkeypatch.setattr(first._job, "close", lambda: (free.wait(30), end())[1])
    endings.add(first)
    second = loaded(sandbox)  # without waiting
    assert first.folder.exists()
    free.set()
    endings.wait()
    assert not first.folder.exists()
    second.close()


def test_one_that_has_ended_already_is_no_trouble(sandbox, endings):
    worker = loaded(sandbox)
    worker.close()
    endings.add(worker)
    endings.wait()


def test_a_fault_is_not_hidden(sandbox, endings, monkeypatch):
    worker = loaded(sandbox)
    end = worker.close

    def broken():
        end()
        raise RuntimeError("ours")

    monkeypatch.setattr(worker, "close", broken)
    endings.add(worker)
    with pytest.raises(RuntimeError, match="ours"):
        endings.wait()
    endings.wait()


def test_memory_that_others_may_need_is_given_back_at_once(sandbox, endings, monkeypatch):
    worker = loaded(sandbox)
    monkeypatch.setattr(worker, "memory", type("Gpu", (), {"device": "cuda"})())
    endings.add(worker)
    assert not worker.folder.exists()
