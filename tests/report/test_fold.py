"""A run reads the same from its events whether it is under way, killed or finished."""

import pytest
import sample_run as sample

from kernelopt.evaluation import Stage, Status
from kernelopt.report.fold import view
from kernelopt.report.view import seed_scores, winner_scores
from kernelopt.store.run import create_run, open_run


@pytest.fixture
def finished(tmp_path):
    with open_run(sample.make(tmp_path)) as run:
        yield view(run)


def task(found, task_id):
    return next(t for t in found.tasks if t.id == task_id)


def test_tasks_stand_in_suite_order_with_their_status(finished):
    assert [(t.id, t.status) for t in finished.tasks] == [
        ("1/1", "PASSED"),
        ("1/2", "PASSED"),
        ("1/3", "WRONG_VALUE"),  # got further than the build failure
        ("2/1", "SKIPPED"),
        ("1/4", "PENDING"),
    ]


def test_a_winner_measured_again_counts_by_that_measurement(finished):
    softmax = task(finished, "1/1")
    assert softmax.remeasured
    assert softmax.speedup == sample.AGAIN.speedup
    assert softmax.searched == sample.FAST.speedup
    assert not task(finished, "1/2").remeasured
    assert task(finished, "1/2").speedup == sample.MATMUL.speedup


def test_a_winner_that_fails_the_last_measurement_is_not_correct(tmp_path):
    again = sample.failed("1/2", "k-matmul", Status.CRASHED, Stage.RUN, "signal 11")
    with sample.begin(tmp_path) as run:
        run.journal.append("remeasure", f"1-2:{again.kernel_hash}", sample.to_json(again))
        found = view(run)
    assert task(found, "1/2").status == "CRASHED"
    assert task(found, "1/2").speedup is None
    assert winner_scores(found.tasks).correct == 1


def test_the_lower_end_of_the_interval_picks_the_winner_not_a_lucky_median(tmp_path):
    with sample.begin(tmp_path) as run:
        assert task(view(run), "1/1").best == sample.FAST


def test_the_winners_prompt_is_named_even_if_its_proposal_was_rejected(finished):
    assert (task(finished, "1/1").winner, task(finished, "1/1").winner_hash) == (1, sample.CHILD)
    assert (task(finished, "1/2").winner, task(finished, "1/2").winner_hash) == (None, sample.REJECTED)
    assert (task(finished, "1/4").winner, task(finished, "1/4").winner_hash) == (None, None)


def test_the_seeds_best_attempt_is_kept_for_comparison(finished):
    assert task(finished, "1/1").seed.speedup == sample.SLOW.speedup
    assert task(finished, "1/2").seed.status == "NO_KERNEL"
    assert task(finished, "1/3").seed.status == "BUILD_FAILED"
    assert task(finished, "1/4").seed is None


def test_attempts_keep_their_order_and_lineage(finished):
    attempts = task(finished, "1/3").attempts
    assert [(a.candidate, a.step, a.kernel, a.cached) for a in attempts] == [
        (0, "generate", "k-nobuild", False),
        (1, "generate", "k-nobuild", True),
        (1, "refine-1", "k-wrong", False),
    ]


def test_scores_count_all_tasks_but_the_skipped(finished):
    best, seed = winner_scores(finished.tasks), seed_scores(finished.tasks)
    assert (best.n, best.skipped, best.correct) == (4, 1, 2)
    assert (best.fast[1.0].strict, best.fast[1.0].point) == (1 / 4, 2 / 4)
    assert (best.fast[2.0].strict, best.fast[0.0].strict) == (1 / 4, 2 / 4)
    assert (seed.n, seed.correct, seed.fast[1.0].point) == (4, 1, 0.0)


def test_candidates_and_the_frontier_come_from_the_pool(finished):
    assert [(c.index, c.how, c.parents) for c in finished.candidates] == [
        (0, "seed", ()),
        (1, "reflection", (0,)),
        (2, "merge", (0, 1)),
    ]
    assert finished.frontier == {"1-1": (1,), "1-2": (2,), "1-3": (1, 2)}
    assert finished.candidates[2].mean_score == pytest.approx((0.7 + 0.5 + 0.2) / 3)


def test_the_budget_adds_up(finished):
    used = finished.budget
    assert (used.rollouts, used.evaluations, used.lm_calls) == (6, 6, 2)
    assert (used.tokens_in, used.tokens_out, used.cost_usd, used.priced) == (200, 100, 0.75, True)
    assert used.limits == {"evaluations": 40}
    assert used.elapsed_s >= 0
    assert (finished.accepted, finished.rejected, finished.iterations) == (1, 1, 1)


def test_an_unknown_price_makes_the_cost_a_lower_bound(tmp_path):
    with sample.begin(tmp_path) as run:
        run.journal.append("lm", "z", sample.call(0.0, priced=False))
        assert not view(run).budget.priced


def test_time_between_sessions_is_not_time_at_work(tmp_path, monkeypatch):
    clock = iter([100, 110, 500, 530, 560])
    monkeypatch.setattr("time.time_ns", lambda: next(clock) * 10**9)
    with create_run(tmp_path, "one", {}) as run:
        run.journal.append("session", "1", {"action": "start", "reason": "", "budget": {}})
        run.journal.append("lm", "a", sample.call(0.0))
        run.journal.append("session", "2", {"action": "resume", "reason": "", "budget": {}})
        run.journal.append("lm", "b", sample.call(0.0))
        run.journal.append("session", "3", {"action": "stop", "reason": "done", "budget": {}})
        assert view(run).budget.elapsed_s == pytest.approx(10 + 60)


def test_state_is_running_then_finished(tmp_path):
    run = sample.begin(tmp_path)
    assert view(run).state == "running"
    assert view(sample.finish(run)).state == "finished"  # its writer may still be printing
    run.close()
    with open_run(run.folder) as reader:
        assert view(reader).state == "finished"
        assert view(reader).reason == "the budget of 40 evaluations is spent"


@pytest.mark.parametrize("stopped", [True, False], ids=["ctrl-c", "kill"])
def test_a_run_cut_short_is_interrupted_and_still_readable(tmp_path, stopped):
    with sample.begin(tmp_path) as run:
        if stopped:
            run.journal.append("session", "2", {"action": "stop", "reason": "interrupted", "budget": {}})
    with open_run(run.folder) as reader:
        found = view(reader)
    assert found.state == "interrupted"
    assert task(found, "1/1").status == "PASSED"


def test_a_run_without_events_is_readable(tmp_path):
    with create_run(tmp_path, "one", sample.MANIFEST) as run:
        found = view(run)
    assert [t.status for t in found.tasks] == ["PENDING"] * 5
    assert found.updated_at is None and found.frontier == {}


def test_a_manifest_without_tasks_still_shows_what_events_know(tmp_path):
    with sample.begin(tmp_path, manifest={}) as run:
        found = view(run)
    assert [t.slug for t in found.tasks] == ["1-1", "1-2", "1-3", "2-1"]
    assert found.provenance == "unknown task set"


def test_lost_records_are_told_and_the_rest_is_used(tmp_path):
    folder = sample.make(tmp_path)
    journal = folder / "journal.sqlite"
    journal.write_bytes(
        journal.read_bytes().replace(b"only elements in the tail", b"only elements in the TAIL")
    )
    with open_run(folder) as run:
        found = view(run)
    assert len(found.damaged) == 2 and all("checksum" in line for line in found.damaged)
    assert task(found, "1/3").status == "BUILD_FAILED"
    assert task(found, "1/1").status == "PASSED"


def test_events_of_a_kind_from_the_future_are_passed_over(tmp_path):
    with sample.begin(tmp_path) as run:
        run.journal.append("telepathy", "1", {"thought": "…"})
        assert task(view(run), "1/1").status == "PASSED"


def test_splits_are_scored_apart(tmp_path):
    split = {"train": ["1-1"], "val": ["1-2"], "test": ["1-3", "1-4"]}
    with sample.begin(tmp_path, manifest={**sample.MANIFEST, "split": split}) as run:
        groups = view(run).groups
    assert {name: [t.id for t in tasks] for name, tasks in groups.items()} == {
        "train": ["1/1"],
        "val": ["1/2"],
        "test": ["1/3", "1/4"],
    }
