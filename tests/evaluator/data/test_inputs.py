"""Inputs that no kernel has seen, in memory that no worker can pull away."""

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.evaluator.data.arena import Slots, is_dense
from kernelopt.evaluator.data.inputs import dense
from kernelopt.evaluator.data.pool import Pool
from kernelopt.evaluator.data.recipe import Recipe


@given(st.integers(1, 400), st.integers(0, 2**32))
@settings(deadline=None)
def test_a_spliced_input_takes_every_element_from_one_of_two_sets_at_its_place(size, seed):
    pool = Pool([[torch.arange(size) * 10 + k] for k in range(3)])
    recipe = Recipe.random(3, random.Random(seed))
    (made,) = recipe.args(pool)
    first, second = pool[recipe.first][0], pool[recipe.second][0]
    assert bool(((made == first) | (made == second)).all())


def test_spliced_inputs_differ_from_each_other():
    pool = Pool([[torch.randn(1000)] for _ in range(4)])
    chance = random.Random(1)
    seen = {Recipe.random(4, chance).args(pool)[0].numpy().tobytes() for _ in range(200)}
    assert len(seen) == 200


def test_slots_keep_strides_and_detect_a_single_changed_bit():
    args = [torch.randn(6, 5).t(), [torch.arange(4), 2.5], torch.tensor(1.0)]
    slots = Slots(args, 2)
    slots.fill(1, args)
    assert slots.views[1][0].stride() == args[0].stride()
    assert slots.intact(1, args)
    slots.views[1][1][3] += 1
    assert not slots.intact(1, args)
    slots.close()


def test_a_worker_cannot_shrink_the_judge_s_memory():
    import os

    slots = Slots([torch.zeros(64)], 1)
    with pytest.raises(PermissionError):
        os.ftruncate(slots.arena.fd, 0)
    slots.close()


@pytest.mark.parametrize(
    "tensor", [torch.zeros(3, 4), torch.zeros(3, 4).t(), torch.zeros(2, 3, 4).permute(2, 0, 1)]
)
def test_dense_tensors_keep_their_strides(tensor):
    assert is_dense(tensor)
    assert dense([tensor])[0].stride() == tensor.stride()


def test_other_tensors_become_contiguous():
    (made,) = dense([torch.zeros(6, 4)[::2]])
    assert is_dense(made)
