"""Timed inputs are spliced and scaled: no row of them was seen before, and each recipe gives one set."""

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.evaluator.data.pool import Pool, is_real
from kernelopt.evaluator.data.recipe import Recipe
from kernelopt.evaluator.data.tables import LEAST_SCALE


def sets(count, make):
    return Pool([[make(number)] for number in range(count)])


def reals(number):
    return torch.randn(64, 33, generator=torch.Generator().manual_seed(number))


@given(st.integers(0, 1 << 30))
def test_every_element_is_one_of_a_base_set_times_a_factor(seed):
    pool = sets(4, reals)
    recipe = Recipe.random(4, random.Random(seed), scaled=True)
    (made,) = recipe.args(pool)
    first, second = pool[recipe.first][0], pool[recipe.second][0]
    fits = [(made / base >= LEAST_SCALE - 1e-5) & (made / base <= 1 + 1e-5) for base in (first, second)]
    assert (fits[0] | fits[1]).all()


def test_a_recipe_gives_the_same_set_again():
    pool, recipe = sets(3, reals), Recipe.random(3, random.Random(7), scaled=True)
    assert torch.equal(recipe.args(pool)[0], recipe.args(pool)[0])


def test_no_row_occurs_twice_in_many_sets():
    pool, chance = sets(4, reals), random.Random(3)
    made = torch.cat([Recipe.random(4, chance, scaled=True).args(pool)[0] for _ in range(50)])
    assert len(torch.unique(made, dim=0)) == len(made)


def test_the_pool_stays_as_it_is():
    pool, before = sets(2, reals), sets(2, reals)
    Recipe.random(2, random.Random(1), scaled=True).args(pool)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(pool, before, strict=True))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(8),
        torch.arange(12),
        torch.randint(0, 2, (9, 9)).float(),
        torch.tensor([True, False]),
        torch.randn(100).bfloat16(),
        torch.tensor([0.5]),
    ],
    ids=["ones", "integers", "mask of floats", "booleans", "half type", "one number"],
)
def test_what_is_no_tensor_of_real_numbers_is_not_scaled(tensor):
    assert not is_real(tensor)
    pool = Pool([[tensor.clone()], [tensor.clone()]])
    assert torch.equal(Recipe.random(2, random.Random(5), scaled=True).args(pool)[0], tensor)


def test_more_elements_than_factors_are_scaled_to_the_end():
    pool = Pool([[torch.rand(600_001) + 1] for _ in range(2)])
    (made,) = Recipe.random(2, random.Random(9), scaled=True).args(pool)
    assert ((made >= LEAST_SCALE - 1e-6) & (made <= 2)).all()


def tokens(number):
    return torch.randint(0, 50, (64, 12), generator=torch.Generator().manual_seed(number))


@pytest.mark.parametrize("kind", [torch.int64, torch.int32, torch.uint8, torch.float32, torch.bfloat16])
def test_no_row_of_what_cannot_be_scaled_occurs_twice_either(kind):
    pool, chance = sets(4, lambda number: tokens(number).to(kind)), random.Random(3)
    assert pool.mixed
    recipes = [Recipe.random(4, chance, scaled=True) for _ in range(50)]
    made = [recipe.args(pool)[0] for recipe in recipes]
    for recipe, one in zip(recipes, made, strict=True):
        first, second = pool[recipe.first][0], pool[recipe.second][0]
        assert ((one == first) | (one == second)).all()
    rows = torch.cat(made).double()
    assert len(torch.unique(rows, dim=0)) > 0.97 * len(rows)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randperm(40),
        torch.randint(0, 90, (40,)).sort().values,
        torch.stack([torch.randperm(9) for _ in range(20)]),
        torch.rand(20, 9).argsort(dim=1) == 0,
        torch.ones(9, 9).tril(),
        torch.tensor(3),
    ],
    ids=["permutation", "offsets", "permutations", "one-hot rows", "triangle", "one number"],
)
def test_structure_is_not_mixed_away(tensor):
    assert not Pool([[tensor], [tensor.clone()]]).mixed


def test_nothing_is_mixed_where_the_order_of_writes_decides():
    assert not Pool([[tokens(0)], [tokens(1)]], mixed=False).mixed
