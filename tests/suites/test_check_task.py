"""Each reference is run once; what makes it useless or weak is said."""

from __future__ import annotations

import pytest

from kernelopt.suites._check import EVEN, Outcome, check_task
from kernelopt.task import Task, Tolerance

PLENTY = 1 << 60


def task(forward: str, tolerance: Tolerance | None = None, head: str = "") -> Task:
    source = f"""import torch
{head}
class Model(torch.nn.Module):
    def forward(self, x):
        return {forward}
def get_inputs():
    return [torch.rand(64, 32)]
def get_init_inputs():
    return []
"""
    return Task("t", "t", source, "file", tolerance=tolerance)


def test_a_sound_reference_is_ok() -> None:
    report = check_task(task("x * 2"), PLENTY)
    assert report.outcome is Outcome.OK
    assert report.warnings == ()
    assert report.seconds > 0


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        ("x + nothing", "NameError"),
        ("x / 0", "output 0 is not finite: 2048 of 2048 elements"),
        ("[x, torch.where(x > 2, x, float('nan'))[:3]]", "output 1 is not finite: 96 of 96"),
        ("3", "returned no tensor"),
        ("x[:0]", "returned no tensor with elements"),
    ],
)
def test_a_useless_reference_fails(forward: str, said: str) -> None:
    report = check_task(task(forward), PLENTY)
    assert report.outcome is Outcome.FAILED
    assert said in report.reason


@pytest.mark.parametrize(
    ("forward", "warnings"),
    [
        ("x * 1e-5", ("zeros would pass",)),
        ("x * 1e-4 + 1", ("a constant would pass",)),
        ("x * 1e-5 + 3", ("a constant would pass" + EVEN,)),
        ("x - x + 1", ("a constant would pass" + EVEN,)),
        ("x > 2", ("zeros would pass" + EVEN,)),
        ("x.relu()", ("the input would pass" + EVEN,)),
        ("x + 5e-5", ("the input would pass",)),
        ("torch.arange(64.)", ("the output for other inputs would pass" + EVEN,)),
        ("x.sum()", ()),
        ("[x * 1e-5, x + 1]", ()),
        ("x.to(torch.complex64)", ()),
    ],
)
def test_a_weak_reference_is_warned_of(forward: str, warnings: tuple[str, ...]) -> None:
    report = check_task(task(forward), PLENTY)
    assert report.outcome is Outcome.OK
    assert report.warnings == warnings
    assert bool(report.weak) == any(EVEN in warning for warning in warnings)


def test_the_tasks_own_tolerance_decides() -> None:
    tight = Tolerance(atol=1e-9, rtol=1e-9)
    assert check_task(task("x * 1e-5", tight), PLENTY).warnings == ()


def test_what_does_not_fit_is_skipped_with_the_bytes() -> None:
    report = check_task(task("x"), 1000)
    assert report.outcome is Outcome.SKIPPED
    assert "bytes; inputs 8.19 kB" in report.reason


def test_what_needs_a_model_is_unavailable() -> None:
    head = "from transformers import AutoModel\nmodel_name = 'nobody/nothing'"
    report = check_task(task("x", head=head), PLENTY)
    assert report.outcome is Outcome.UNAVAILABLE
