"""What an input is by nature stays in timed sets: a symmetry, an order, a permutation, a choice."""

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.evaluator.data.pool import Pool
from kernelopt.evaluator.data.recipe import Recipe

SEEDS = st.integers(0, 1 << 30)


def made(make, seed, *, scaled=True):
    """A timed set of one tensor, and the two that it is made of."""
    pool = Pool([[make(torch.Generator().manual_seed(number))] for number in range(4)])
    recipe = Recipe.random(4, random.Random(seed), scaled=scaled)
    return recipe.args(pool)[0], pool[recipe.first][0], pool[recipe.second][0]


def symmetric(chance, *shape, kind=torch.float32):
    half = torch.randn(*shape, generator=chance)
    return (half + half.mT).to(kind)


def graph(chance):
    edges = torch.rand(40, 40, generator=chance) < 0.2
    return edges | edges.mT


SYMMETRIC = {
    "matrix": lambda chance: symmetric(chance, 33, 33),
    "matrices": lambda chance: symmetric(chance, 3, 2, 17, 17),
    "float64": lambda chance: symmetric(chance, 33, 33, kind=torch.float64),
    "bfloat16": lambda chance: symmetric(chance, 33, 33, kind=torch.bfloat16),
    "graph": graph,
}


@pytest.mark.parametrize("scaled", [True, False], ids=["scaled", "spliced"])
@pytest.mark.parametrize("make", SYMMETRIC.values(), ids=SYMMETRIC)
@given(seed=SEEDS)
def test_symmetric_matrices_stay_symmetric_and_are_of_both_sets(make, scaled, seed):
    new, one, other = made(make, seed, scaled=scaled)
    assert torch.equal(new, new.mT)
    ratios = [new.double() / base.double() for base in (one, other)]
    same = new.is_floating_point() and scaled and new.dtype != torch.bfloat16
    fits = [
        ((r > 0.899) & (r < 1.001) if same else new == base)
        for r, base in zip(ratios, (one, other), strict=True)
    ]
    assert (fits[0] | fits[1] | (new == 0)).all()
    if new.dtype != torch.bool:
        assert not fits[0].all()
        assert not fits[1].all()


def test_no_two_rows_of_symmetric_matrices_are_the_same_in_many_sets():
    rows = torch.cat([made(SYMMETRIC["matrix"], seed)[0] for seed in range(40)])
    assert len(torch.unique(rows, dim=0)) == len(rows)


def test_what_is_nearly_symmetric_is_spliced_like_any_other():
    new, *_ = made(lambda chance: symmetric(chance, 33, 33) + torch.randn(33, 33, generator=chance) * 1e-3, 1)
    assert not torch.allclose(new, new.mT, rtol=0.01)


SORTED = {
    "reals": lambda chance: torch.randn(200, generator=chance).sort().values,
    "descending": lambda chance: torch.randn(200, generator=chance).sort(descending=True).values,
    "offsets": lambda chance: torch.randint(0, 900, (50,), generator=chance).sort().values,
}


@pytest.mark.parametrize("make", SORTED.values(), ids=SORTED)
@given(seed=SEEDS)
def test_a_sorted_vector_stays_sorted(make, seed):
    steps = made(make, seed)[0].diff()
    assert (steps >= 0).all() or (steps <= 0).all()


@given(seed=SEEDS)
def test_a_permutation_stays_one(seed):
    new, *_ = made(lambda chance: torch.randperm(60, generator=chance), seed)
    assert torch.equal(new.sort().values, torch.arange(60))


@given(seed=SEEDS)
def test_rows_that_mark_a_choice_mark_one_still(seed):
    def choices(chance):
        return torch.nn.functional.one_hot(torch.randint(0, 9, (70,), generator=chance), 9)

    assert (made(choices, seed)[0].sum(-1) == 1).all()


@pytest.mark.parametrize("shape", [(300,), (1, 300)], ids=str)
def test_numbers_that_never_repeat_are_spliced_all_the_same(shape):
    """Keys of a hash, say: two sets hold different ones, so that they are no permutation."""
    new, one, other = made(lambda chance: torch.randint(0, 1 << 60, shape, generator=chance), 3)
    assert not torch.equal(new, one)
    assert not torch.equal(new, other)


def test_an_order_that_one_set_has_by_chance_binds_nothing():
    pool = Pool([[torch.tensor([1.5, 2.5, 3.5])], [torch.tensor([2.5, 1.5, 3.5])]])
    assert not pool.bound


def test_what_is_the_same_in_every_set_binds_nothing():
    """On a GPU, sets that nothing binds are made by its own copies."""
    assert not Pool([[torch.arange(90)], [torch.arange(90)]]).bound
    assert Pool([[torch.arange(90)], [torch.arange(90) * 2]]).bound
    assert Pool([[torch.linspace(0, 1, 90)], [torch.linspace(0, 1, 90)]]).bound, (
        "scaling would spoil its order"
    )


KINDS = [torch.complex64, torch.complex128, torch.float8_e4m3fn, torch.float8_e5m2, torch.float16]
KINDS += [torch.bfloat16, torch.float64, torch.uint8, torch.uint16, torch.uint64, torch.int8, torch.bool]


@pytest.mark.parametrize("shape", [(50,), (8, 8), (6, 5), (1,), (0,)], ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_sets_of_any_type_and_shape_are_made(kind, shape):
    for scaled in (True, False):
        new, one, other = made(
            lambda chance: (torch.rand(shape, generator=chance) * 50).to(kind), 1, scaled=scaled
        )
        assert (new.dtype, new.shape) == (one.dtype, one.shape) == (other.dtype, other.shape)
