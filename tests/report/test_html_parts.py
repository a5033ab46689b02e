"""The parts of the HTML report: what happened in order, axes, shares and the numbers beside them."""

import dataclasses
import math
from types import SimpleNamespace

import big_run
import pytest
import sample_run as sample
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.evaluation import Profile, Speedup
from kernelopt.report.fold import view
from kernelopt.report.history import REACHED, History, history, reached, totals
from kernelopt.report.html.bars import bars, light_speedup
from kernelopt.report.html.costs import costs, seconds_text
from kernelopt.report.html.funnel import levels, over_time
from kernelopt.report.html.heatmap import heat
from kernelopt.report.html.lineage import line_change, lineage
from kernelopt.report.html.npu import tiles, vectorization
from kernelopt.report.html.scale import Axis, counted, number, spread
from kernelopt.report.html.trove import LONGEST_TEXT, _cut, pack, unpack
from kernelopt.report.view import TaskView
from kernelopt.store.run import open_run


@pytest.fixture
def read(tmp_path):
    with open_run(sample.make(tmp_path)) as run:
        yield view(run), history(run)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    with open_run(big_run.make(tmp_path_factory.mktemp("parts"), tasks=12, rollouts=60)) as run:
        return view(run), history(run)


def test_progress_counts_what_was_solved_after_each_rollout(read):
    steps = read[1].steps
    assert [(s.rollouts, s.correct, s.faster, s.faster_point) for s in steps] == [
        (1, 1, 0, 0),
        (2, 1, 0, 0),
        (3, 1, 0, 0),
        (4, 1, 1, 1),
        (5, 1, 1, 1),
        (6, 2, 1, 2),  # the matmul: 1.05 [0.95, 1.15] is faster by the point estimate only
    ]


def test_progress_knows_what_had_been_paid_by_then(read):
    assert [s.cost_usd for s in read[1].steps] == [0.25] * 3 + [0.75] * 3


def test_progress_never_goes_back(many):
    for before, after in zip(many[1].steps, many[1].steps[1:], strict=False):
        assert (before.correct, before.faster, before.cost_usd) <= (
            after.correct,
            after.faster,
            after.cost_usd,
        )
        assert before.correct <= after.correct and before.faster <= after.faster
        assert before.seconds < after.seconds


def test_the_last_step_agrees_with_the_run(many):
    found, past = many
    assert past.steps[-1].rollouts == found.budget.rollouts
    assert past.steps[-1].correct == sum(task.status == "PASSED" for task in found.tasks)
    assert past.steps[-1].seconds == pytest.approx(found.budget.elapsed_s, rel=0.1)


@pytest.mark.parametrize(
    ("status", "stage", "speedup", "word"),
    [
        ("NO_KERNEL", "extract", None, "no kernel"),
        ("SUSPECT", "static", None, "not built"),
        ("BUILD_FAILED", "build", None, "not built"),
        ("COMPILED", "build", None, "built"),
        ("CRASHED", "load", None, "built"),
        ("TIMED_OUT", "run", None, "built"),
        ("WRONG_VALUE", "check", None, "ran"),
        ("PASSED", "done", None, "correct"),
        ("PASSED", "done", Speedup(1.2, 1.0, 1.3), "correct"),
        ("PASSED", "done", Speedup(1.2, 1.01, 1.3), "faster"),
    ],
)
def test_how_far_an_attempt_got(status, stage, speedup, word):
    assert REACHED[reached(status, stage, speedup)] == word


def test_repetitions_of_a_known_kernel_are_not_counted_twice(read):
    found, past = read
    repeated = sum(attempt.cached for task in found.tasks for attempt in task.attempts)
    assert repeated == 1
    assert len(past.reached) == sum(len(task.attempts) for task in found.tasks) - repeated


def test_totals_go_from_all_attempts_to_the_faster_ones():
    assert totals([0, 1, 3, 4, 5, 5]) == [6, 5, 4, 4, 3, 2]


def test_an_untimed_funnel_ends_at_correct_kernels(many):
    assert [level.name for level in levels(many[1], 6)][-1] == "faster"
    assert [level.name for level in levels(many[1], 5)][-1] == "correct"
    assert [level.name for level in levels(many[1], 3)][-1] == "built", "where nothing is run"


def test_columns_over_time_hold_every_attempt_once(many):
    table = over_time(many[1], 6).table
    assert sum(int(cell) for row in table.rows for cell in row[1:]) == len(many[1].reached)


def test_a_modelled_speedup_makes_no_attempt_faster_than_correct():
    plot = over_time(History(reached=[0, 5, 5, 4]), 5)
    assert [sum(int(cell) for cell in row[1:]) for row in plot.table.rows] == [1, 1, 1, 1]
    assert [line.name for line in plot.lines][-1] == "correct"


def test_shares_of_time_and_money_make_a_whole(many):
    found = costs(*many)
    for shares in (found.time, found.money):
        assert math.isclose(sum(share.percent for share in shares), 100.0, abs_tol=0.1)


def test_costs_with_an_unknown_price_are_called_lower_bounds(tmp_path):
    with sample.begin(tmp_path) as run:
        run.journal.append("lm", "unpriced", sample.call(0.0, priced=False))
        found = costs(view(run), history(run))
    assert "lower bounds" in found.note and any("at least $0.25" in row for row in found.rows)


def test_the_speed_of_light_stands_against_the_references_own_time(many):
    task = next(task for task in many[0].tasks if task.speedup)
    (roof,) = [p.metrics for p in task.best.profiles if p.tool == "roofline"]
    assert light_speedup(task) == pytest.approx(task.best.timing.reference_ms / roof["roof_ms"])
    assert light_speedup(task) == pytest.approx(task.speedup.median / roof["fraction"])


def test_without_counted_bytes_there_is_no_speed_of_light(read):
    assert not bars(read[0]).lit
    assert all(row.light == "–" for row in bars(read[0]).rows)


def test_tasks_stand_in_order_of_what_is_certain_and_failures_come_last(read):
    assert [row.task.id for row in bars(read[0]).rows] == ["1/1", "1/2", "1/3", "1/4", "2/1"]


def test_a_bar_lies_within_its_interval(many):
    for row in bars(many[0]).rows:
        if row.bar:
            assert row.bar.low <= row.bar.median <= row.bar.high


def test_scores_lie_in_the_row_of_their_candidate(read):
    found = heat(read[0])
    assert found.tasks == ["1-1", "1-2", "1-3"]
    assert found.scores == [[0.3, 0.0, 0.05], [0.8, 0.0, 0.2], [0.7, 0.5, 0.2]]


def test_a_cell_that_leads_its_task_is_marked_unless_all_do(read):
    assert heat(read[0]).leaders.count("M") == 1 + 1 + 2


def test_a_merge_hangs_from_both_parents(read):
    tree = lineage(read[0])
    assert [(e.parent, e.child, e.merge) for e in tree.edges] == [(0, 1, False), (0, 2, True), (1, 2, True)]
    at = {node.index: node.y for node in tree.nodes}
    assert at[0] < at[1] < at[2]


def test_changes_are_counted_over_all_components():
    assert line_change({"a": "x\ny", "b": "z"}, {"a": "x\nw", "c": "v"}) == (2, 2)


def test_no_two_prompts_stand_on_each_other(many):
    places = [(node.x, node.y) for node in lineage(many[0]).nodes]
    assert len(set(places)) == len(places)


@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e6), st.booleans())
def test_an_axis_keeps_order_ends_and_has_its_ticks_inside(low, factor, log):
    axis = Axis(low, low * factor, 10.0, 90.0, log=log)
    assert axis(low) == 10.0 and axis(low * factor) == 90.0
    assert axis(low / 2) == 10.0 and axis(low * factor * 2) == 90.0, "what lies outside is clamped"
    assert all(10.0 <= tick.at <= 90.0 for tick in axis.ticks)
    assert axis.ticks == sorted(axis.ticks, key=lambda tick: tick.at) and len(axis.ticks) <= 12


def test_a_logarithmic_axis_gives_each_doubling_the_same_room():
    axis = Axis(0.5, 8.0, 0.0, 100.0, log=True)
    assert [axis(value) for value in (0.5, 1, 2, 4, 8)] == [0.0, 25.0, 50.0, 75.0, 100.0]


def test_figures_are_short():
    assert [number(v) for v in (0, 0.25, 12.0, 1200, 3_240_000, 1.9e11)] == [
        "0", "0.25", "12", "1,200", "3.24M", "190G",
    ]  # fmt: skip
    assert (counted(1, "task"), counted(1200, "task")) == ("1 task", "1,200 tasks")
    assert [seconds_text(s) for s in (0.5, 61, 7260)] == ["0.5 s", "1 min 1 s", "2 h 1 min"]


def test_an_axis_copes_with_no_figures_at_all():
    assert spread([]) == spread([0.0, math.inf])


def test_packs_open_to_what_went_in_and_never_hold_markup():
    data = {"a": ["</script>", "\ud800", None, 1.5, True]}
    text = pack({**data, "bad": math.nan})
    assert unpack(text) == {**data, "bad": None}
    assert not set(text) & set("<>&\"'")


def test_the_same_run_makes_the_same_pack():
    assert pack({"a": 1}) == pack({"a": 1})


def test_a_huge_log_is_cut_and_says_so():
    cut = _cut("x" * (LONGEST_TEXT + 5))
    assert len(cut) < LONGEST_TEXT + 100 and "5 more characters" in cut


@dataclasses.dataclass
class _Estimate:
    label: str = "estimated (host model)"
    machine: str = "aie2"
    cycles: float = 1000.0
    vector_score: float = 0.4
    baseline_cycles: float = 12_000.0


def test_what_a_model_of_an_npu_says_keeps_its_label_and_is_no_measured_speedup():
    best = SimpleNamespace(correct=True, profiles=(), estimate=_Estimate(), timing=None, device="npu")
    task = TaskView("a", "a", "a", best=best)
    failed = TaskView("b", "b", "b")
    (tile,) = tiles(SimpleNamespace(tasks=(task, failed)))
    assert (tile.cycles, tile.baseline_cycles, tile.speedup) == ("1,000", "12,000", "12.0×")
    assert tile.label == "estimated (host model)"
    assert task.measured is None
    assert vectorization([task, failed]) == pytest.approx(0.2), "failures count as 0"


@pytest.mark.parametrize(
    ("device", "tool", "label"),
    [
        ("npu", "npu_model", "estimated (host model)"),
        ("npu", "aiesimulator", "estimated (host model)"),
        ("npu", "trace of the hardware", "hardware"),
        ("hardware", "estimate", "estimated (host model)"),
        ("npu", "counters", "estimated (host model)"),
    ],
)
def test_cycles_count_as_measured_only_where_hardware_is_named_and_no_model(device, tool, label):
    profile = Profile(tool, {"cycles": 5.0})
    best = SimpleNamespace(correct=True, profiles=(profile,), timing=None, device=device)
    (tile,) = tiles(SimpleNamespace(tasks=(TaskView("a", "a", "a", best=best),)))
    assert tile.label == label
