"""Changed inputs keep what honest kernels may rely on, and bite."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.evaluator.expected.distributions import TRANSFORMS, transform, varies_indices
from kernelopt.evaluator.settings import Settings

VARIED = ("fixed", "masked")
CHANGES = [name for name in TRANSFORMS if name != "given"]


def one(tensor, name, seed=1):
    return transform([tensor], name, seed)[0]


@pytest.mark.parametrize("name", TRANSFORMS)
@given(
    st.lists(st.integers(1, 9), min_size=0, max_size=4),
    st.sampled_from([torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool]),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=15)
def test_dtype_shape_strides_and_the_original_stay(name, shape, dtype, seed):
    x = (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 9).to(dtype)
    x = x.transpose(0, -1) if x.dim() > 1 else x
    before = x.clone()
    made = one(x, name, seed)
    assert (made.dtype, made.shape) == (x.dtype, x.shape)
    assert made.stride() == torch.empty_like(x).stride()
    assert torch.equal(x, before)
    assert name == "nonfinite" or not made.is_floating_point() or bool(made.isfinite().all())


@pytest.mark.parametrize("name", CHANGES)
def test_masks_flags_and_scalars_stay(name):
    tensors = [torch.tensor(3.0), torch.tensor([2.5]), torch.ones(64, 64), torch.eye(20) > 0]
    tensors += [torch.randint(0, 2, (50, 50)) * 2.0 - 1, torch.full((4, 4), -torch.inf).triu(1)]
    for tensor in tensors:
        assert torch.equal(one(tensor, name), tensor)


@pytest.mark.parametrize("name", CHANGES)
def test_both_parts_of_complex_numbers_are_changed_and_structure_stays(name):
    x = torch.complex(torch.rand(40, 40), torch.rand(40, 40))
    made = one(x.t(), name)
    assert (made.dtype, made.shape, made.stride()) == (x.dtype, x.shape, x.t().stride())
    untouched = torch.equal(made, x.t())
    assert untouched == (name in VARIED)
    hermitian, real = x + x.mH, torch.complex(torch.rand(40, 40), torch.zeros(40, 40))
    assert one(hermitian, name) is hermitian
    assert not bool(one(real, name).imag.nan_to_num().any())


@pytest.mark.parametrize("name", sorted({*CHANGES} - {"zeros", "constant", "outlier", "nonfinite"}))
def test_sparse_features_are_no_labels_and_stay_sparse(name):
    x = torch.rand(1500, 1024) * (torch.rand(1500, 1024) < 0.0005)
    made = one(x, name)
    assert torch.equal(made, x) == (name in VARIED)
    assert not bool((made != 0)[x == 0].any())
    labels = torch.zeros(1500, 1024)
    labels[::40, 7] = 0.25
    assert one(labels, name) is labels


@pytest.mark.parametrize("name", CHANGES)
def test_a_triangle_stays_a_triangle(name):
    made = one(torch.rand(60, 60).triu(), name)
    assert not bool(made.tril(-1).nan_to_num(0, 0, 0).any())


@pytest.mark.parametrize("name", CHANGES)
def test_symmetric_matrices_and_sorted_vectors_stay_so(name):
    x = torch.rand(60, 60)
    symmetric = one(x + x.t(), name)
    assert torch.equal(symmetric, symmetric.t())
    rising = one(torch.rand(500).sort().values, name).diff()
    assert bool((rising >= 0).all())


@pytest.mark.parametrize("name", CHANGES)
def test_nested_inputs_are_changed_too_and_values_are_not(name):
    made = transform([[torch.rand(30, 30)], 4, "mean", None], name)
    assert made[1:] == [4, "mean", None]
    assert made[0][0].shape == (30, 30)


@pytest.mark.parametrize("name", CHANGES)
@given(st.integers(0, 99))
@settings(deadline=None, max_examples=10)
def test_integers_stay_within_the_values_seen(name, seed):
    x = torch.randint(3, 90, (200,), generator=torch.Generator().manual_seed(seed))
    made = one(x, name, seed)
    assert made.min() >= x.min() and made.max() <= x.max()


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("x", [torch.randperm(50), torch.arange(50), torch.tensor([0, 4, 4, 9])])
def test_offsets_and_permutations_stay(name, x):
    assert torch.equal(one(x, name), x)
    assert not varies_indices([x], name)


def test_indices_meet_in_one_place_or_at_the_ends():
    x = torch.randint(0, 1000, (500,))
    assert len(one(x, "constant").unique()) == 1
    assert one(x, "steep").unique().tolist() == [int(x.min()), int(x.max())]


@pytest.mark.parametrize("mask", [torch.ones(40, 50, dtype=torch.bool), torch.rand(40, 50) > 0.9])
def test_masks_are_inverted_here_and_there_but_never_in_whole_rows(mask):
    made = one(mask, "outlier")
    assert 0.1 < (made != mask).float().mean() < 0.4
    causal = torch.ones(40, 40, dtype=torch.bool).triu(1)
    hidden = one(causal, "outlier").sum(1)
    assert hidden.max() < 40, "a row of nothing has no softmax"
    assert not torch.equal(one(causal, "outlier"), causal)


@pytest.mark.parametrize("generator", [torch.rand, torch.randn])
def test_each_change_does_what_it_is_for(generator):
    x = generator(64, 1000)
    assert one(x, "mixed").min() < -0.5 and one(x, "mixed").max() > 0.5
    assert abs(float(one(x, "mixed").mean())) < 0.1 * float(one(x, "mixed").std())
    assert (one(x, "steep") > 88.73).float().mean() > 0.02, "exp overflows behind 88.72"
    assert (one(x, "steep") < -88.73).float().mean() > 0.02
    assert one(x, "constant").std(1).max() == 0
    assert one(x, "constant").unique().numel() > 10
    assert (one(x, "outlier").abs() > 10 * x.std()).sum(1).tolist() == [1] * 64
    assert one(x, "small").abs().max() < 1e-2
    assert one(x, "tiny").abs().max() < torch.finfo(torch.float32).tiny
    assert one(x, "large").abs().max() > 8000
    assert (one(x, "sparse") != 0).float().mean() < 0.05
    assert torch.equal(one(x, "uneven").sign(), x.sign())
    assert (one(x, "uneven").abs() < x.abs() / 30).float().mean() > 0.3
    assert not bool(one(x, "zeros").any())
    assert one(x, "nonfinite").isnan().any() and one(x, "nonfinite").isinf().any()


def test_steep_inputs_do_not_saturate():
    """Equal maxima would leave an argmax undecided; only neighbours may become equal by rounding."""
    x = torch.randn(4000)
    assert len(one(x, "steep").unique()) > 0.99 * len(x.unique())


@given(st.integers(2, 300), st.sampled_from([1, 3]), st.integers(0, 999))
@settings(deadline=None, max_examples=30)
def test_some_rows_are_unlike_the_others_and_never_the_first(count, lead, seed):
    x = torch.rand((1, count, lead, 5), generator=torch.Generator().manual_seed(seed))
    other = (one(x, "patchy", seed) != x)[0].flatten(1)
    assert torch.equal(other.any(1), other.sum(1) > 2), "rows change as a whole, or not at all"
    assert not other[0].any() and other.any()


def test_patches_are_of_both_kinds():
    made = one(torch.rand(4000, 50), "patchy")
    steep, wide = (made.abs().amax(1) > 80).sum(), (made.amin(1) < -0.5).sum()
    assert 150 < steep < 350 and 300 < wide < 700


def test_sums_of_constant_rows_are_exact():
    x = one(torch.rand(64, 4099), "constant")
    for exact, single in (
        (x.double().sum(1), x.sum(1)),
        ((x.double() ** 2).sum(1), (x * x).cumsum(1)[:, -1]),
    ):
        assert torch.equal(exact.float(), single)


@pytest.mark.parametrize("name", ["mixed", "outlier", "patchy", "steep", "constant", "large"])
def test_what_a_change_does_is_a_secret_of_its_seed(name):
    x = torch.rand(64, 64)
    assert not torch.equal(one(x, name, 1), one(x, name, 2))
    assert torch.equal(one(x, name, 3), one(x, name, 3))


def test_the_defaults_exist():
    assert set(Settings().distributions) <= TRANSFORMS.keys()
