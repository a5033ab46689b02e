"""What the judge on a GPU is made of, piece by piece."""

import pickle
import random
import re
import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from kernelopt.devices import _cuda_driver
from kernelopt.errors import MissingTool
from kernelopt.evaluator.cuda.memory import CudaMemory
from kernelopt.evaluator.cuda.window import BUSY_MS, Unrest
from kernelopt.evaluator.data.pool import Pool
from kernelopt.evaluator.data.recipe import Recipe
from kernelopt.evaluator.data.tables import SCALES
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.workers.rehearsal import rehearse
from kernelopt.sandboxes import Limits


@pytest.fixture
def memory(world):
    made = CudaMemory(0, str(world / "libcuda.so.1"))
    yield made
    made.close()


# Names of the driver's functions -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def header():
    triton = find_spec("triton")
    found = Path(triton.origin).parent / "backends/nvidia/include/cuda.h" if triton else None
    if found is None or not found.exists():
        pytest.skip("triton is not installed: its wheel has cuda.h")
    return found.read_text()


@pytest.mark.parametrize("name", sorted(_cuda_driver._PROTOTYPES))
def test_every_function_is_in_cuda_h_with_as_many_parameters(header, name):
    assert re.search(rf"\b{name}\b", header), f"cuda.h knows no {name}"
    declared = re.search(rf"CUDAAPI {name}\(([^)]*)\)", header)
    declared = declared or re.search(rf"CUDAAPI {name.removesuffix('_v2')}\(([^)]*)\)", header)
    parameters = [one for one in declared[1].split(",") if one.strip() not in ("", "void")]
    assert len(parameters) == len(_cuda_driver._PROTOTYPES[name])


# Input sets --------------------------------------------------------------------------------------------


def both(memory, args, count=3):
    """Slots of a pool, with the arenas of both sides."""
    slots = memory.slots(args, count)
    return slots, [slots.device_arena(trusted=side) for side in (False, True)]


POOL = [
    [torch.rand(50, 7), torch.randint(0, 9, (11,)), torch.rand(SCALES + 100).double(), torch.rand(5) > 0.5],
    [torch.rand(50, 7), torch.randint(0, 9, (11,)), torch.rand(SCALES + 100).double(), torch.rand(5) > 0.5],
]


@pytest.mark.parametrize("able", [True, False], ids=["on the GPU", "on the host"])
@pytest.mark.parametrize("scaled", [True, False])
def test_sets_are_poured_as_the_host_pours_them_bit_for_bit(memory, able, scaled):
    if able and not memory.pourer.able:
        pytest.skip("NVRTC was not found; sets are made on the host then")
    if not able:
        memory.pourer.__dict__["_cubin"] = None
    pool, chance = Pool(POOL), random.Random(3)
    slots, arenas = both(memory, POOL[0])
    recipes = {index: Recipe.random(2, chance, scaled=scaled) for index in (0, 2)}
    slots.pour(recipes, pool)
    for index, recipe in recipes.items():
        assert slots.intact(index, recipe.args(pool))
        at = index * slots.pitch
        first, second = (memory.gpu.read(arena.pointer + at, slots.pitch) for arena in arenas)
        assert first == second
    assert not slots.intact(1, recipes[0].args(pool))
    slots.close()


def test_what_one_side_writes_to_its_inputs_the_other_never_sees(memory):
    args = [torch.rand(100)]
    slots, (candidates, references) = both(memory, args)
    slots.fill(1, args)
    memory.gpu.fill(candidates.pointer, 7, candidates.size)
    assert not slots.intact(1, args)
    at = references.pointer + slots.pitch + slots.layout[0][0]["offset"]
    assert bytes(memory.gpu.read(at, 400)) == args[0].numpy().tobytes()
    slots.close()


def test_sets_begin_where_vectors_may_be_loaded_and_do_not_touch(memory):
    args = [torch.rand(3), [torch.rand(5), 2.0], torch.rand(1000)]
    slots = memory.slots(args, 4)
    spans = []
    for one in slots.layout:
        tensors = [one[0], one[1]["items"][0], one[2]]
        assert one[1]["items"][1] == {"value": 2.0}
        spans += [(tensor["offset"], tensor["offset"] + tensor["bytes"]) for tensor in tensors]
    assert all(start % 512 == 0 for start, _ in spans)
    assert all(stop <= start for (_, stop), (start, _) in pairwise(spans))
    slots.close()


def test_there_are_fewer_sets_where_memory_is_short(memory, standin):
    standin.standin_limit(64 << 20)
    slots = memory.slots([torch.empty(1 << 20)], 1000)
    assert 1 <= slots.count <= 5
    slots.close()


def test_an_arena_lives_as_long_as_somebody_uses_it(memory):
    slots, (candidates, _) = both(memory, [torch.rand(9)])
    candidates.use()
    slots.close()
    assert memory.gpu.extent(candidates.pointer)
    candidates.close()
    with pytest.raises(_cuda_driver.CudaError):
        memory.gpu.extent(candidates.pointer)


def test_the_pool_of_another_task_takes_the_place_of_the_last_one(memory):
    slots, _ = both(memory, [torch.rand(9)])
    for _ in range(3):
        pool = Pool([[torch.rand(9)], [torch.rand(9)]])
        recipe = Recipe.random(2, random.Random(1), scaled=True)
        slots.pour({0: recipe}, pool)
        assert slots.intact(0, recipe.args(pool))
    slots.close()


# Probes ------------------------------------------------------------------------------------------------


def test_one_or_two_slow_probes_are_accidents():
    unrest = Unrest(1.0)
    assert [unrest.note(ms) for ms in (0.5, 3.0, 0.5, 3.0, 0.5)] == [""] * 5


def test_many_slow_probes_are_none():
    unrest = Unrest(1.0)
    told = [unrest.note(3.0) for _ in range(3)]
    assert told[:2] == ["", ""] and "still busy" in told[2] and "3 of 3" in told[2]


def test_slow_probes_among_very_many_quick_ones_are_accidents():
    unrest = Unrest(1.0)
    assert {unrest.note(3.0 if index % 9 == 0 else 0.5) for index in range(100)} == {""}


def test_a_probe_that_takes_very_long_is_enough():
    assert "still busy" in Unrest(1.0).note(BUSY_MS + 1)


def test_a_judge_that_had_to_wait_for_a_processor_sees_no_work_in_that(memory, monkeypatch):
    fill = memory.gpu.fill
    monkeypatch.setattr(memory.gpu, "fill", lambda *where: (time.sleep(0.2), fill(*where)))
    assert memory.probe_ms() < 200


def test_an_error_of_the_driver_survives_the_way_out_of_the_judge_s_process():
    error = pickle.loads(pickle.dumps(_cuda_driver.CudaError("cuMemAlloc_v2", 2, "CUDA_ERROR_OUT_OF_MEMORY")))
    assert (str(error), error.code) == ("cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY", 2)


# What is missing ---------------------------------------------------------------------------------------


def test_a_library_that_is_not_there_is_named():
    with pytest.raises(MissingTool, match=r"no NVIDIA driver was found \(libnone.so\)"):
        CudaMemory(0, "libnone.so")


def test_a_gpu_that_is_not_there_is_counted(world):
    with pytest.raises(MissingTool, match="there is no GPU 3: the driver counts 1"):
        CudaMemory(3, str(world / "libcuda.so.1"))


def test_a_sandbox_that_lets_nobody_use_the_gpu_is_named_and_no_kernel_blamed(sandbox, memory, monkeypatch):
    rehearse(sandbox, memory, Limits())
    monkeypatch.setattr(memory.gpu, "handle", lambda pointer: bytes(64))
    with pytest.raises(MissingTool, match=r"the sandbox process lets no kernel use the device cuda: .*Ipc"):
        rehearse(sandbox, memory, Limits())


def test_settings_say_what_they_go_by_on_a_gpu(memory):
    found = memory.settings(Settings(between_sd=0.01, between_from="calibrated 2026-01-01"))
    assert (found.between_sd, found.between_from) == (0.08, "default: not calibrated on a GPU")
    assert found.arena_bytes >= 3 * memory.gpu.l2_bytes
    assert not memory.limits(found.limits).address_space
