"""A whole search with hand-written replies: requests appear as files, a script answers them."""

import threading

import pytest
from small_suite import answer

from kernelopt.evaluation import Status
from kernelopt.report.fold import view
from kernelopt.search.run import start
from kernelopt.search.watch import Watch


@pytest.fixture
def clerk(tmp_path):
    """Answers every request that turns up in the inbox, until the test ends."""
    inbox, done = tmp_path / "inbox", threading.Event()
    seen = []

    def work():
        while not done.wait(0.05):
            for request in sorted((inbox / "requests").glob("*.md")):
                reply = inbox / "replies" / request.name
                if not reply.exists():
                    seen.append(request.name)
                    temporary = reply.with_name(f".{reply.name}.tmp")
                    temporary.write_text(answer(request.read_text()))
                    temporary.rename(reply)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield inbox, seen
    done.set()
    thread.join()


@pytest.mark.slow
def test_a_search_by_files_learns_from_its_reflections(make_plan, tmp_path, clerk):
    inbox, seen = clerk
    plan = make_plan(lm=f"files:{inbox}", reflection_lm=f"files:{inbox}")
    watch = Watch()
    with start(plan, tmp_path / "runs", "by-hand", watch) as run:
        found = view(run)
        kernels = sorted(path.name for path in (run.folder / "kernels").iterdir())
        transcript = (run.folder / "transcript.jsonl").read_text().splitlines()
        best = (run.folder / "prompts" / "best" / "generate.md").read_text()
    assert found.state == "finished"
    assert "12 evaluations" in found.reason
    assert {task.status for task in found.tasks} == {Status.PASSED}
    assert all(task.seed.status == Status.WRONG_VALUE for task in found.tasks)
    assert kernels == ["double.py", "shift.py", "square.py"]
    assert found.budget.rollouts == 12
    assert len(transcript) == found.budget.lm_calls == len(seen)
    assert "CAREFUL" in best or "CAREFUL" in (tmp_path / "runs/by-hand/prompts/best/refine.md").read_text()
    assert watch.progress.correct == {"double", "shift", "square"}
    assert found.accepted >= 1
