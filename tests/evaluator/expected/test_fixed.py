"""Inputs that are the same under every seed are changed too, and keep what they are by nature."""

import pytest
import torch
from judging import passes, reference

from kernelopt.evaluator.expected.fixed import vary


def varied(x, other=None, seed=3):
    (made,) = vary([x], lambda: [x.clone() if other is None else other], seed)
    return made


def test_zeros_and_ones_become_other_numbers():
    state, gain = varied(torch.zeros(50, 20)), varied(torch.full((50, 20), -2.0))
    assert len(state.unique()) == len(gain.unique()) == 1000
    assert 0.05 < float(state.std()) < 0.2 and bool((gain >= -2.5).all()) and bool((gain <= -1.5).all())


@pytest.mark.parametrize("step", [1, 2, 8])
def test_positions_and_offsets_keep_order_and_ends(step):
    x = torch.arange(4, 4 + 100 * step, step, dtype=torch.int32)
    made = varied(x)
    assert made.dtype == x.dtype and (int(made[0]), int(made[-1])) == (int(x[0]), int(x[-1]))
    assert not torch.equal(made, x)
    assert bool((made.diff() >= (1 if step == 8 else 0)).all())


@pytest.mark.parametrize(
    "x",
    [
        torch.tensor([1.5]),
        torch.full((4, 4), -torch.inf),
        torch.ones(4, 4).tril(),
        torch.ones(9, dtype=torch.bool),
        torch.randint(0, 9, (40,)),
        torch.linspace(0, 1, 9),
    ],
)
def test_scalars_masks_and_tables_stay(x):
    assert varied(x) is x


def test_what_a_seed_changes_stays():
    x = torch.arange(5)
    assert varied(x, x + 1) is x
    asked = []
    assert vary([torch.randn(8), 3], lambda: asked.append(1), 3)[1] == 3 and not asked


def test_offsets_beside_a_largest_size_stay():
    x = torch.arange(0, 80, 8)
    assert vary([x, 8], lambda: [x.clone(), 8], 3)[0] is x


def test_nested_inputs_are_varied_where_they_are():
    x, zeros = torch.randn(8), torch.zeros(8)
    again = [[torch.randn(8), (zeros.clone(), 2)], None]
    [[first, (state, two)], none] = vary([[x, (zeros, 2)], None], lambda: again, 3)
    assert first is x and two == 2 and none is None and bool(state.any())


STATE = ("torch.tanh(x + h * 0.5)", "[torch.randn(64, 30), torch.zeros(64, 30)]")
TABLE = ("x + torch.sin(p[:, None].float())", "[torch.randn(64, 30), torch.arange(64)]")


def test_a_kernel_that_never_reads_a_state_of_zeros_is_wrong():
    known = reference(*STATE, sig="x, h")
    assert passes(known, lambda x, h: torch.tanh(x + h * 0.5))
    assert not passes(known, lambda x, h: torch.tanh(x))


def test_a_kernel_that_has_positions_built_in_is_wrong():
    known, table = reference(*TABLE, sig="x, p"), torch.sin(torch.arange(64.0))[:, None]
    assert passes(known, lambda x, p: x + torch.sin(p[:, None].float()))
    assert not passes(known, lambda x, p: x + table)


def test_where_the_order_of_writes_would_decide_indices_stay():
    known = reference(
        "torch.zeros(64, 30).index_copy(0, p, x)", "[torch.randn(64, 30), torch.arange(64)]", sig="x, p"
    )
    assert all(s.workload.distribution != "fixed" for s in known.samples)
