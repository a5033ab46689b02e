"""The bundled task set keeps its promises: contract, sizes, and references that cannot be faked.

1. Every file is KernelBench's contract plus literal `SIZES` and `TAGS`; nothing else is configured.
2. A reference is deterministic, leaves its inputs alone, and agrees with itself in fp64.
3. No trivial answer comes within 1e-2 of it: zeros, ones, the mean, an input, another seed's output.
4. Every input and every parameter matters.
5. The `cpu` size is small, the `gpu` size is large, and both run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from kernelopt import resources
from kernelopt.suites import SuiteOptions, _load
from kernelopt.suites.kernelbench import BUNDLED, KernelBench
from kernelopt.task import Task

FAMILIES = {
    "attention",
    "conv",
    "elementwise",
    "layout",
    "loss",
    "matmul",
    "mlp",
    "norm",
    "pooling",
    "reduction",
    "scan",
    "softmax",
}
LOOSE, TIGHT = 1e-2, 5e-5
"""Used as both atol and rtol: what a fake must miss, and half of what a kernel must keep."""

FOLDER = resources.folder("benchmarks") / "kernelbench" / "core"
FILES = sorted(FOLDER.glob("level*/*.py"), key=lambda file: (file.parent.name, int(file.name.split("_")[0])))


def tasks(size: str) -> list[Task]:
    return list(KernelBench(BUNDLED, SuiteOptions(size=size)).tasks())


def close(answer: torch.Tensor, output: torch.Tensor, tolerance: float) -> bool:
    """Whether every element is within tolerance; the first few thousand settle most cases cheaply."""
    answer, output = answer.to(output.dtype).reshape(-1), output.reshape(-1)
    parts = ((answer[:4096], output[:4096]), (answer, output))
    return all(bool(((a - o).abs_() <= tolerance + tolerance * o.abs()).all()) for a, o in parts)


def tensors(model: torch.nn.Module, inputs: list[Any]) -> Iterator[tuple[str, torch.Tensor]]:
    """Everything that the output may depend on, by name."""
    yield from chain(model.named_parameters(), model.named_buffers())
    yield from ((f"input {number}", value) for number, value in enumerate(inputs))


def in_fp64(value: torch.Tensor) -> torch.Tensor:
    return value.double() if value.is_floating_point() else value


def size_bytes(values: list[torch.Tensor]) -> int:
    return sum(value.numel() * value.element_size() for value in values)


@dataclass(frozen=True)
class Loaded:
    """One task at its `cpu` size, seed 0, with the output of its reference."""

    module: ModuleType
    model: torch.nn.Module
    inputs: list[torch.Tensor]
    output: torch.Tensor

    def run(self, inputs: list[torch.Tensor] | None = None) -> torch.Tensor:
        return _load.run_model(self.module, self.model, self.inputs if inputs is None else inputs)


@pytest.fixture(scope="module", params=tasks("cpu"), ids=lambda task: task.id)
def loaded(request: pytest.FixtureRequest) -> Loaded:
    module = _load.load(request.param)
    model, inputs = _load.make_model(module, 0), _load.make_inputs(module, 0)
    return Loaded(module, model, inputs, _load.run_model(module, model, inputs))


def test_every_level_has_enough_tasks_numbered_from_one() -> None:
    for level, least in ((1, 24), (2, 16), (3, 8)):
        numbers = [int(file.name.split("_")[0]) for file in FILES if file.parent.name == f"level{level}"]
        assert len(numbers) >= least
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_readme_counts_the_files() -> None:
    readme = (FOLDER.parent / "README.md").read_text()
    assert f"\n{len(FILES)} tasks " in readme
    for folder in sorted(FOLDER.glob("level*")):
        assert f"| `core/{folder.name}` | {len(list(folder.glob('*.py')))} |" in readme


def test_names_are_told_apart_by_more_than_their_number() -> None:
    names = [file.stem.split("_", 1)[1].lower() for file in FILES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"\d+_[A-Z]\w+\.py", file.name) for file in FILES)


def test_sixteen_tasks_from_all_levels_are_representative() -> None:
    subset = [task for task in tasks("cpu") if "representative" in task.tags]
    assert len(subset) == 16
    assert {task.level for task in subset} == {1, 2, 3}


def test_every_family_has_a_task() -> None:
    assert {tag for task in tasks("cpu") for tag in task.tags} - {"representative"} == FAMILIES


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_file_holds_the_contract_and_literals_only(file: Path) -> None:
    tree = ast.parse(file.read_text())
    docstring = ast.get_docstring(tree)
    assert docstring
    assert "\n" not in docstring
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {ast.unparse(node) for node in imported} <= {
        "import torch",
        "from torch import nn",
        "import torch.nn.functional as F",
    }
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    sizes, tags = values.pop("SIZES"), values.pop("TAGS")
    assert sizes.keys() == {"cpu", "gpu"}
    assert values == sizes["cpu"], "constants have to stand at their cpu values, and all of them in SIZES"
    assert list(sizes["gpu"]) == list(sizes["cpu"])
    assert all(type(value) is int for size in sizes.values() for value in size.values())
    assert set(tags) - {"representative"}
    assert len(set(tags)) == len(tags)


def test_the_output_is_one_finite_float_tensor(loaded: Loaded) -> None:
    assert isinstance(loaded.output, torch.Tensor)
    assert loaded.output.dtype == torch.float32
    assert loaded.output.is_contiguous()
    assert loaded.output.isfinite().all()


def test_cpu_inputs_are_small_and_on_the_cpu(loaded: Loaded) -> None:
    assert all(isinstance(value, torch.Tensor) and value.device.type == "cpu" for value in loaded.inputs)
    assert size_bytes(loaded.inputs) <= 32e6


def test_the_same_seed_gives_the_same_output(loaded: Loaded) -> None:
    model, inputs = _load.make_model(loaded.module, 0), _load.make_inputs(loaded.module, 0)
    assert torch.equal(_load.run_model(loaded.module, model, inputs), loaded.output)
    assert all(torch.equal(ours, fresh) for ours, fresh in zip(loaded.inputs, inputs, strict=True)), (
        "the reference changed its inputs"
    )
    assert torch.equal(_load.run_model(loaded.module, model.eval(), inputs), loaded.output), (
        "train and eval differ"
    )


def test_no_trivial_answer_passes(loaded: Loaded) -> None:
    output = loaded.output
    answers = {"zeros": torch.zeros_like(output), "ones": torch.ones_like(output)}
    if output.numel() > 1:
        answers["the mean"] = torch.full_like(output, output.mean().item())
    for number, value in enumerate(loaded.inputs):
        if value.numel() == output.numel():
            answers[f"input {number}"] = value.reshape(output.shape)
    answers["another seed's output"] = loaded.run(_load.make_inputs(loaded.module, 1))
    assert [name for name, answer in answers.items() if close(answer, output, LOOSE)] == []


def test_every_input_and_parameter_matters(loaded: Loaded) -> None:
    idle = []
    for name, value in tensors(loaded.model, loaded.inputs):
        kept = value.detach().clone()
        with torch.no_grad():
            value.zero_()
            if close(loaded.run(), loaded.output, LOOSE):
                idle.append(name)
            value.copy_(kept)
    assert idle == []


def test_fp32_is_precise_enough_for_the_task(loaded: Loaded) -> None:
    model = _load.make_model(loaded.module, 0).double()
    exact = _load.run_model(loaded.module, model, [in_fp64(value) for value in loaded.inputs])
    assert exact.dtype == torch.float64
    assert close(loaded.output, exact, TIGHT)


@pytest.mark.parametrize("task", tasks("gpu"), ids=lambda task: task.id)
def test_gpu_sizes_run_and_are_large(task: Task) -> None:
    module = _load.load(task)  # on the meta device: shapes without memory
    model, inputs = _load.make_model(module, 0, "meta"), _load.make_inputs(module, 0, "meta")
    output = _load.run_model(module, model, inputs)
    moved = size_bytes([output, *(value for _, value in tensors(model, inputs))])
    assert 150e6 <= moved <= 6e9
