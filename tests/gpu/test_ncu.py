"""Counters of Nsight Compute, from its CSV to words."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.gpu.ncu import METRICS, Launch, command, parse, profile

OURS = {ours: theirs for theirs, ours in METRICS.items()}


def printed(*launches, before="==PROF== Connected to process 7\nhello from the program\n"):
    """What ncu prints, in the columns that its documentation lists."""
    text = io.StringIO()
    columns = ["ID", "Process ID", "Kernel Name", "Metric Name", "Metric Unit", "Metric Value"]
    rows = csv.DictWriter(text, columns, quoting=csv.QUOTE_ALL)
    rows.writeheader()
    for number, (kernel, metrics) in enumerate(launches):
        for name, value in metrics.items():
            unit = "nsecond" if name == "ns" else "%"
            fields = [str(number), "7", kernel, OURS.get(name, name), unit, value]
            rows.writerow(dict(zip(columns, fields, strict=True)))
    return before + text.getvalue()


def told(**metrics):
    return profile([Launch("softmax", {"ns": 1000.0, **metrics})]).text


def test_launches_are_read_and_the_rest_passed_over():
    text = printed(("a(float*)", {"ns": "1,234", "sm_pct": "81.5"}), ("b", {"ns": "9"}))
    assert parse(text) == [Launch("a(float*)", {"ns": 1234.0, "sm_pct": 81.5}), Launch("b", {"ns": 9.0})]


@pytest.mark.parametrize("text", ["", "==ERROR== ERR_NVGPUCTRPERM - no permission\n", '"ID"\n'])
def test_what_holds_no_launch_gives_none(text):
    assert parse(text) == [] and profile(parse(text)) is None


def test_counters_that_are_not_there_are_left_out():
    assert parse(printed(("a", {"ns": "5", "sm_pct": "n/a", "unheard of": "3"}))) == [
        Launch("a", {"ns": 5.0})
    ]


def test_times_in_other_units_are_nanoseconds():
    text = printed(("a", {"ns": "2.5"})).replace("nsecond", "usecond")
    assert parse(text)[0].metrics["ns"] == 2500.0


@given(st.text())
def test_no_text_is_too_strange(text):
    parse(text)
    parse('"ID","Metric Name","Metric Value"\n' + text)


def test_the_slowest_launch_is_told():
    found = profile([Launch("quick", {"ns": 1.0}), Launch("slow", {"ns": 9.0, "memory_pct": 90.0})])
    assert found.tool == "ncu" and found.text.startswith("slow: bound by memory")


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"sm_pct": 20, "memory_pct": 92}, "bound by memory"),
        ({"sm_pct": 85, "memory_pct": 30}, "bound by arithmetic"),
        ({"sm_pct": 20, "memory_pct": 30}, "bound by latency"),
        ({"sectors_per_load": 32.0}, "threads of a warp read far apart"),
        ({"bank_conflicts": 5000}, "bank conflicts in shared memory"),
        ({"occupancy_pct": 12.5}, "12% of the warps that fit were active"),
        ({"stall_barrier": 6.0, "stall_memory": 2.0}, "warps wait most for __syncthreads"),
        ({"tensor_pct": 70.0}, "tensor cores busy 70%"),
    ],
)
def test_what_bounds_a_kernel_is_said_in_words(metrics, words):
    assert words in told(**metrics)


def test_what_is_in_order_is_not_remarked_on():
    assert told(memory_pct=92, sectors_per_load=4.0, occupancy_pct=80, bank_conflicts=0).count("\n") == 0


def test_the_command_asks_for_every_counter_and_runs_the_program_last():
    words = command(["python", "run.py"])
    assert words[0] == "ncu" and words[-2:] == ["python", "run.py"]
    assert set(words[words.index("--metrics") + 1].split(",")) == set(METRICS)
