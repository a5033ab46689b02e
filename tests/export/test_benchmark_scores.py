"""`kernelopt score` against the published definitions, written here once more and in another way."""

import json
import math
import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.cli.main import cli
from kernelopt.cli.score import P
from kernelopt.export.layouts import read_kernelbench, read_npueval
from kernelopt.report.scores import Cycles, fast_p, geometric_mean, geometric_mean_faster, npu_score

# Times whose ratio is exactly a threshold come up often: there definitions differ.
times = st.sampled_from(
    [0.5, 1.0, 1.5, 2.0, 3.0, math.nextafter(1.0, 2), math.nextafter(1.0, 0)]
) | st.floats(1e-3, 1e3)
samples = st.fixed_dictionaries(
    {
        "compiled": st.booleans(),
        "correctness": st.booleans(),
        "runtime": times | st.just(-1.0),
        "reference": times,
    }
)
sets = st.dictionaries(st.integers(1, 100), samples, min_size=1, max_size=30)


def written(folder, problems, missing=()):
    """A run of KernelBench's layout; problems in `missing` have a time but no result."""
    run = folder / "runs" / "mine"
    run.mkdir(parents=True)
    entries = {
        str(number): [{"sample_id": 0, **{k: v for k, v in one.items() if k != "reference"}}]
        for number, one in problems.items()
        if number not in missing
    }
    (run / "eval_results.json").write_text(json.dumps(entries))
    (run / "level_1_problem_1_sample_0_kernel.py").write_text("")
    place = folder / "results" / "timing" / "here"
    place.mkdir(parents=True)
    rows = {f"{number}_Task.py": {"mean": one["reference"]} for number, one in reversed(problems.items())}
    (place / "base.json").write_text(json.dumps({"level1": rows, "level2": {}}))
    return run


def ratios(problems, missing=()):
    """Exact speedups of what is correct and was timed."""
    good = (
        one
        for number, one in problems.items()
        if number not in missing and one["correctness"] and one["runtime"] > 0
    )
    return [one["reference"] / one["runtime"] for one in good]


def is_mean(value, numbers):
    """Whether `value` is the n-th root of the product, without its overflow."""
    product = math.prod(map(Fraction, numbers))
    log2 = math.log2(product.numerator) - math.log2(product.denominator)
    return math.isclose(value, 2 ** (log2 / len(numbers)), rel_tol=1e-9)


@settings(max_examples=400)
@given(sets, st.data())
def test_fast_p_and_both_means_follow_kernelbenchs_definitions(problems, data):
    missing = data.draw(st.sets(st.sampled_from(sorted(problems))))
    with tempfile.TemporaryDirectory() as folder:
        (found,) = read_kernelbench(written(Path(folder), problems, missing))
    results = list(found.results.values())
    speedups = ratios(problems, missing)
    assert len(results) == len(problems)  # n counts every task of the baseline, with or without a result
    for p in P:
        strictly = sum(1 for ratio in speedups if ratio > p)
        assert fast_p(results, p, strict=False) * len(problems) == pytest.approx(strictly)
    mean, faster = geometric_mean(results), geometric_mean_faster(results)
    assert mean is None if not speedups else is_mean(mean, speedups)
    above = [ratio for ratio in speedups if ratio > 1]
    assert faster is None if not above else is_mean(faster, above)


kernels = st.lists(
    st.none() | st.tuples(st.floats(1, 1e6), st.floats(0, 1)).map(lambda t: (t[0], t[0] * t[1])), max_size=60
)


@settings(max_examples=600)
@given(kernels)
def test_aggregates_follow_npuevals_definitions(results):
    scores = npu_score([None if one is None else Cycles(*one) for one in results])
    n = len(results)
    vector = total = cycles = 0
    for one in results:
        if one is not None:
            vector += Fraction(one[1]) / Fraction(one[0])
            cycles += Fraction(one[0])
            total += 1
    assert (scores.n, scores.passed) == (n, total)
    assert scores.functional == pytest.approx(total / n if n else 0)
    assert scores.vectorization == pytest.approx(float(vector / n) if n else 0)
    assert (
        scores.mean_cycles is None
        if not total
        else scores.mean_cycles == pytest.approx(float(cycles / total))
    )


@settings(max_examples=200)
@given(kernels)
def test_a_further_failing_kernel_lowers_vectorization_in_proportion(results):
    before = npu_score([None if one is None else Cycles(*one) for one in results])
    after = npu_score([*(None if one is None else Cycles(*one) for one in results), None])
    assert after.vectorization * (len(results) + 1) == pytest.approx(before.vectorization * len(results))
    assert after.mean_cycles == before.mean_cycles


def score(*arguments):
    done = CliRunner().invoke(cli, ["score", *map(str, arguments), "--json"], catch_exceptions=False)
    return json.loads(done.output)["sets"]


def test_results_are_matched_by_number_and_not_by_position(tmp_path):
    problems = {
        2: {"compiled": True, "correctness": True, "runtime": 1.0, "reference": 4.0},
        10: {"compiled": True, "correctness": True, "runtime": 4.0, "reference": 1.0},
    }
    (row,) = score(written(tmp_path, problems))
    assert row["fast_p"]["1.0"] == 0.5 and row["fast_p"]["2.0"] == 0.5
    assert row["geometric_mean"] == pytest.approx(1.0)


def test_parity_is_not_faster(tmp_path):
    (row,) = score(
        written(tmp_path, {1: {"compiled": True, "correctness": True, "runtime": 2.0, "reference": 2.0}})
    )
    assert row["fast_p"]["1.0"] == 0.0 and row["fast_p"]["0.8"] == 1.0


def test_a_fast_kernel_that_is_wrong_scores_nothing(tmp_path):
    (row,) = score(
        written(tmp_path, {1: {"compiled": True, "correctness": False, "runtime": 0.1, "reference": 2.0}})
    )
    assert row["fast_p"]["0.0"] == 0.0 and row["geometric_mean"] is None


def test_count_adds_tasks_without_a_file_as_failures(tmp_path):
    run = written(tmp_path, {1: {"compiled": True, "correctness": True, "runtime": 1.0, "reference": 3.0}})
    (row,) = score(run, "--count", "4")
    assert row["n"] == 4 and row["fast_p"]["2.0"] == 0.25


def test_npueval_results_are_read_as_it_writes_them(tmp_path):
    folder = tmp_path / "results" / "evaluations" / "mine"
    folder.mkdir(parents=True)
    passed = {"result": "Pass", "total_cycles": 200, "vector_cycles": 50, "vector_score": 0.25}
    (folder / "abs_int8_wrapper.json").write_text(json.dumps(passed))
    (folder / "relu_wrapper.json").write_text(json.dumps({"result": "Fail", "Error": "no"}))
    unmeasured = '{"result": "Pass", "total_cycles": Infinity, "vector_cycles": 3}'
    (folder / "argmax_wrapper.json").write_text(unmeasured)
    (found,) = read_npueval(tmp_path)
    assert found.results["relu"] is None
    (row,) = score(tmp_path, "--count", "5")
    assert (row["passed"], row["functional"], row["vectorization"]) == (2, 0.4, 0.05)
    assert row["mean_cycles"] == 200


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "no eval_results.json was found"),
        (lambda folder: (folder / "eval_results.json").write_text("{"), "no results/timing"),
    ],
)
def test_bad_input_is_one_line(tmp_path, make, said):
    from kernelopt.errors import UsageError

    make(tmp_path)
    with pytest.raises(UsageError, match=said):
        read_kernelbench(tmp_path)
