"""Which size of a task may vary: one that only first axes follow."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import task

from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.expected.strict import other_shape, other_size
from kernelopt.evaluator.settings import Settings

TASKS = {
    "batch_size = 64; dim = 32": ("F.gelu(self.l(x))", "[torch.rand(batch_size, dim)]", "nn.Linear(dim, 8)"),
    "M = 48; K = 32; N = 16": ("x @ torch.ones(K, N)", "[torch.rand(M, K)]", "None"),
    "rows = 48; dim = 32": ("(x * 2).mean()", "[torch.rand(rows, dim)]", "None"),
    "N = 128": ("x + 1", "[torch.rand(N)]", "None"),
}
FIXED = {
    "N = 64": ("x @ x", "[torch.rand(N, N)]", "None"),
    "dim = 32": ("self.l(x)", "[torch.rand(64, dim)]", "nn.Linear(dim, 8)"),
    "batch_size = 16": ("self.l(x)", "[torch.rand(64, batch_size)]", "nn.Linear(batch_size, 8)"),
    "steps = 20": ("x", "[torch.rand(4, steps, 3)]", "None"),
    "count = 3": ("x", "[torch.rand(4, 3) for _ in range(count)][:1]", "None"),
    "": ("x", "[torch.rand(64, 32)]", "None"),
}


def made(head, table):
    forward, inputs, layer = table[head]
    return task(forward, inputs, head=head, init=f"self.l = {layer}")


@pytest.mark.parametrize("head", TASKS)
def test_rows_may_vary(head):
    label, varied = other_shape(made(head, TASKS), random.Random(1))
    name, size = label.split("=")
    assert f"{name} = {size}" in varied.source
    assert name == head.split(" ")[0]


@pytest.mark.parametrize("head", FIXED)
def test_sizes_that_weights_or_other_axes_follow_may_not(head):
    assert other_shape(made(head, FIXED), random.Random(1)) is None


@given(st.integers(1, 10_000), st.randoms())
def test_the_other_size_is_another_one_and_hardly_ever_larger(size, chance):
    other = other_size(size, chance)
    assert other != size and other > 0
    assert other < size or size <= 4
    assert size <= 6 or other % 2


def test_the_sample_of_the_other_shape_has_the_same_weights():
    known = Reference(made("batch_size = 64; dim = 32", TASKS), Settings(threads=1), random.Random(2))
    label, sample = known.other_shape
    (x,) = sample.args
    assert x.shape[0] == int(label.split("=")[1]) != 64
    want = known.runner.wide(x.double()).detach()
    assert float((sample.outputs[0].value - want).abs().max()) < 1e-12
    assert sample.workload.id == f"shape {label}"
