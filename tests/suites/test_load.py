"""A task's text becomes a live module; whatever fails in it is blamed on its line."""

from __future__ import annotations

import inspect
import random
import re
import traceback

import numpy as np
import pytest
import torch

from kernelopt.errors import TaskError
from kernelopt.suites._load import load, make_inputs, make_model, run_model
from kernelopt.task import Task

LARGE = 3 << 20
"""Elements enough to be filled by several threads."""


def task(source: str) -> Task:
    return Task("1/7", "7_T", source, "kernelbench", origin="level1/7_T.py")


def inputs_of(body: str, seed: int = 0) -> list[object]:
    return make_inputs(load(task(f"import random, numpy, torch\ndef get_inputs():\n    {body}\n")), seed)


def test_a_module_loads_makes_its_inputs_and_runs(module: str) -> None:
    loaded = load(task(module))
    inputs = make_inputs(loaded, seed=1)
    assert [tuple(each.shape) for each in inputs] == [(128, 64)]
    output = run_model(loaded, make_model(loaded, seed=0), inputs)
    assert torch.equal(output, inputs[0] + 1.0)
    assert not output.requires_grad


@pytest.mark.parametrize(("inputs", "place"), [("[{'x': 1}]", "[0]"), ("(2, [3, {}])", "[1][1]")])
def test_inputs_in_a_dictionary_are_refused_with_their_place(inputs: str, place: str) -> None:
    with pytest.raises(TaskError, match=re.escape(f"a dictionary at {place}, ") + ".*; return its values"):
        inputs_of(f"return {inputs}")


def test_two_loads_share_nothing(module: str) -> None:
    first, second = load(task(module)), load(task(module))
    first.batch_size = 3
    assert second.batch_size == 128


def test_classes_can_be_inspected_and_dataclasses_resolved() -> None:
    head = "from __future__ import annotations\nimport dataclasses\n"
    loaded = load(task(f"{head}@dataclasses.dataclass\nclass A:\n    x: int\n"))
    assert inspect.getsource(loaded.A).startswith("@dataclasses.dataclass")
    assert loaded.A(3).x == 3


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\ny = x / 0\n", "the module failed at line 2: ZeroDivisionError: division by zero"),
        ("import no_such_package\n", "the module failed at line 1: ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)\n", "the module failed at line 1: SystemExit: 3"),
        ("def f():\n    raise ValueError('one\\ntwo')\nf()\n", "failed at line 2: ValueError: one$"),
    ],
)
def test_a_module_that_fails_is_blamed_on_its_line(source: str, said: str) -> None:
    with pytest.raises(TaskError, match=rf"^level1/7_T\.py: task 1/7: .*{said}"):
        load(task(source))


def test_a_traceback_shows_the_tasks_own_lines() -> None:
    with pytest.raises(TaskError) as caught:
        load(task("x = 1\nassert x == 2, 'no'\n"))
    assert "assert x == 2, 'no'" in "".join(traceback.format_exception(caught.value))


def test_each_part_that_fails_is_named(module: str) -> None:
    broken = module.replace("return x + 1.0", "return x + y").replace("return []", "return [1]")
    loaded = load(task(broken))
    with pytest.raises(TaskError, match=r"Model\(\*get_init_inputs\(\)\) failed.*: TypeError"):
        make_model(loaded, seed=0)
    with pytest.raises(TaskError, match=r"Model\.forward\(\) failed at line 14: NameError"):
        run_model(loaded, loaded.Model(), [torch.ones(1)])
    with pytest.raises(TaskError, match=r"get_inputs\(\) failed at line 3: KeyError"):
        inputs_of("return {}['x']")


def test_wrong_kinds_are_named() -> None:
    with pytest.raises(TaskError, match=r"get_inputs\(\) returned Tensor, not a list"):
        inputs_of("return torch.ones(1)")
    loaded = load(task("class Model: pass\ndef get_init_inputs(): return []\n"))
    with pytest.raises(TaskError, match=r"Model made a Model, not a torch\.nn\.Module"):
        make_model(loaded, seed=0)


def test_an_interrupt_is_nobodys_fault() -> None:
    with pytest.raises(KeyboardInterrupt):
        load(task("raise KeyboardInterrupt\n"))


@pytest.mark.parametrize(
    "body",
    [
        "return [torch.rand(3), torch.randn(3)]",
        "return [numpy.random.rand(3), random.random()]",
        f"return [torch.rand({LARGE}), torch.randn(2, {LARGE})]",
        f"return [f(size=({LARGE},), dtype=torch.float64) for f in (torch.rand, torch.randn)]",
        f"return [torch.rand(({LARGE},), dtype=torch.float64)]",
        f"return [torch.rand({LARGE}, dtype=torch.float16), torch.randint(0, 9, ({LARGE},))]",
    ],
)
def test_the_seed_decides_the_inputs(body: str) -> None:
    def same(first: object, second: object) -> bool:
        return bool(np.array_equal(np.asarray(first), np.asarray(second)))

    once, again, other = inputs_of(body, seed=1), inputs_of(body, seed=1), inputs_of(body, seed=2)
    assert all(same(a, b) for a, b in zip(once, again, strict=True))
    assert not any(same(a, b) for a, b in zip(once, other, strict=True))


def test_large_inputs_do_not_depend_on_the_number_of_threads() -> None:
    threads = torch.get_num_threads()
    body = "return [torch.rand(5 << 20), torch.randn(5 << 20)]"
    try:
        torch.set_num_threads(1)
        alone = inputs_of(body)
        torch.set_num_threads(4)
        together = inputs_of(body)
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_large_inputs_are_uniform_and_normal_and_never_repeat() -> None:
    uniform, again, normal = inputs_of(
        f"return [torch.rand({LARGE}), torch.rand({LARGE}), torch.randn({LARGE})]"
    )
    assert 0.0 <= float(uniform.min()) < 0.001
    assert 0.999 < float(uniform.max()) < 1.0
    assert abs(float(uniform.mean()) - 0.5) < 0.005
    assert abs(float(normal.mean())) < 0.005
    assert abs(float(normal.std()) - 1.0) < 0.005
    assert not torch.equal(uniform, again)
    first, second = inputs_of("x = torch.rand(8 << 20)\n    return [x[: 4 << 20], x[4 << 20 :]]")
    assert not torch.equal(first, second)


def test_a_large_input_may_want_gradients_and_a_shape() -> None:
    (x,) = inputs_of(f"return [torch.rand(2, {LARGE}, requires_grad=True)]")
    assert x.requires_grad
    assert x.is_leaf
    assert x.shape == (2, LARGE)


def test_generators_are_left_as_they_were_found() -> None:
    def state() -> tuple[object, ...]:
        return torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()

    before = state()
    inputs_of(f"return [torch.rand({LARGE}), random.random(), numpy.random.rand(3)]")
    assert state() == before


def test_inputs_on_the_meta_device_need_no_memory() -> None:
    loaded = load(task("import torch\ndef get_inputs(): return [torch.rand(1 << 20, 1 << 20)]\n"))
    (x,) = make_inputs(loaded, seed=0, device="meta")
    assert x.is_meta
