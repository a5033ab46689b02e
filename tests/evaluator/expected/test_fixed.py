"""Inputs that are the same under every seed are changed too, and keep what they are by nature."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import passes, reference

from kernelopt.evaluator.expected.fixed import MASKED, vary


def varied(x, other=None, seed=3):
    (made,) = vary([x], lambda: [x.clone() if other is None else other], seed)
    return made


def masked(x):
    (made,) = vary([x], lambda: [x.clone()], 3, MASKED)
    return made


KINDS = [torch.bool, torch.int64, torch.int32, torch.uint8, torch.float32, torch.float16, torch.bfloat16]
KINDS += [torch.uint16, torch.float8_e4m3fn]


@given(
    st.lists(st.sampled_from([1, 2, 5, 30]), min_size=1, max_size=4),
    st.sampled_from(KINDS),
    st.sampled_from([0, 1, 3]),
)
@settings(deadline=None, max_examples=60)
def test_what_is_one_number_everywhere_is_taken_for_a_mask(shape, dtype, number):
    x = torch.full(shape, number).to(dtype)
    made = masked(x)
    if x.numel() < 2:
        assert made is x
        return
    assert (made.dtype, made.shape) == (dtype, x.shape)
    made, x = made.double(), x.double()
    other, row = made != x, max(n for n, size in enumerate(shape) if size > 1)
    assert not bool(other.all(row).any()), "a row of nothing is of no use"
    assert set(made[other].tolist()) <= {float(number == 0)}
    assert x.numel() < 100 or 0.1 < other.float().mean() < 0.4


@pytest.mark.parametrize(
    "x", [torch.rand(9) > 0.5, torch.arange(9), torch.full((4, 4), -torch.inf), torch.randn(5)]
)
def test_what_holds_several_numbers_is_no_such_mask(x):
    assert masked(x) is x


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


UNREAD = {
    "(x * t.unsqueeze(-1)).sum(1) / t.sum(1, keepdim=True)": "torch.ones(8, 16, dtype=torch.int64)",
    "x.masked_fill((t == 0).unsqueeze(-1), 0.0).sum(1) / (t != 0).sum(1, keepdim=True)": "torch.ones(8, 16)",
    "(x * t).sum(1) / t.sum(1).clamp(min=1)": "torch.ones(8, 16, 1, dtype=torch.bool)",
}


@pytest.mark.parametrize(("forward", "mask"), UNREAD.items())
def test_a_kernel_that_never_reads_a_mask_of_ones_is_wrong(forward, mask):
    known = reference(forward, f"[torch.randn(8, 16, 30), {mask}]", sig="x, t")
    assert passes(known, lambda x, t: eval(forward, {"x": x, "t": t}))
    assert not passes(known, lambda x, t: x.mean(1))


def test_what_the_reference_cannot_take_for_a_mask_stays():
    known = reference("x[t]", "[torch.randn(1, 30), torch.zeros(64, dtype=torch.int64)]", sig="x, t")
    assert all(s.workload.distribution != "masked" for s in known.samples)


def test_where_the_order_of_writes_would_decide_indices_stay():
    known = reference(
        "torch.zeros(64, 30).index_copy(0, p, x)", "[torch.randn(64, 30), torch.arange(64)]", sig="x, p"
    )
    assert all(s.workload.distribution != "fixed" for s in known.samples)


CAUSAL = "torch.full((16, 16), float('-inf')).triu(1)"


def test_a_mask_that_is_added_is_turned_over_and_hides_no_whole_row():
    mask = torch.full((16, 16), -torch.inf).triu(1)
    made = masked(mask)
    assert set(made.unique().tolist()) == {0.0, -torch.inf}
    assert not torch.equal(made.triu(1), mask) and not bool((made == -torch.inf).all(1).any())


def test_a_kernel_that_takes_an_added_mask_for_causal_is_wrong():
    known = reference("torch.softmax(x + m, -1)", f"[torch.randn(8, 16, 16), {CAUSAL}]", sig="x, m")
    assert passes(known, lambda x, m: torch.softmax(x + m, -1))
    causal = torch.full((16, 16), -torch.inf).triu(1)
    assert not passes(known, lambda x, m: torch.softmax(x + causal, -1))


@pytest.mark.parametrize("number", [0.0, 1.0, -3.0])
def test_a_number_without_an_axis_becomes_another(number):
    made = varied(torch.tensor(number))
    assert made.dim() == 0 and abs(float(made) - number) >= max(0.1, 0.29 * abs(number))
    assert float(made) * number >= 0


def test_a_kernel_that_has_such_a_number_built_in_is_wrong():
    known = reference("torch.tanh(x) + k * x", "[torch.randn(64, 30), torch.tensor(0.0)]", sig="x, k")
    assert passes(known, lambda x, k: torch.tanh(x) + k * x)
    assert not passes(known, lambda x, k: torch.tanh(x))
