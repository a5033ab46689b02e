"""Shapes, bytes and FLOPs of a task, found without allocating its tensors."""

from __future__ import annotations

import dataclasses
import resource
from pathlib import Path

import pytest

from kernelopt.errors import TaskError
from kernelopt.suites._facts import facts, fits
from kernelopt.suites._size import amount, remember, remembered
from kernelopt.task import Task

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


@pytest.fixture(autouse=True)
def _no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known from an earlier run of these tests."""
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))
    facts.cache_clear()


def task(inputs: str, forward: str, init: str = "pass", name: str = "t") -> Task:
    source = f"""{HEAD}
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        {init}
    def forward(self, x, y=None):
        {forward}
def get_inputs():
    return [{inputs}]
def get_init_inputs():
    return []
"""
    return Task(name, name, source, "file")


def test_a_matrix_product_counts_two_flops_a_multiply_add() -> None:
    found = facts(task("torch.rand(64, 128), torch.rand(128, 32)", "return x @ y"))
    assert [str(each) for each in found.inputs] == ["float32[64, 128]", "float32[128, 32]"]
    assert found.outputs is not None
    assert [each.shape for each in found.outputs] == [(64, 32)]
    assert found.flops == 2 * 64 * 128 * 32
    assert found.bytes_moved == 4 * (64 * 128 + 128 * 32 + 64 * 32)


def test_other_operations_count_one_flop_an_element() -> None:
    found = facts(task("torch.rand(8, 16)", "return (x + 1.0).sum(dim=1)"))
    assert found.flops == 8 * 16 + 8 * 16
    assert found.memory_bytes == 4 * (8 * 16 + 8 * 16)


def test_views_copies_and_factories_count_nothing() -> None:
    forward = "return torch.cat([x.t().contiguous().view(-1), torch.zeros(4)])[2:]"
    assert facts(task("torch.rand(8, 16)", forward)).flops == 0


def test_parameters_and_buffers_are_counted() -> None:
    init = "self.a = nn.Linear(16, 8)\n        self.register_buffer('mask', torch.ones(5, dtype=torch.bool))"
    found = facts(task("torch.rand(4, 16)", "return self.a(x)", init))
    assert found.parameters == 16 * 8 + 8 + 5
    assert found.parameter_bytes == 4 * (16 * 8 + 8) + 5
    assert found.flops == 2 * 4 * 16 * 8


def test_a_convolution_and_attention_are_counted() -> None:
    conv = facts(
        task("torch.rand(2, 3, 10, 10)", "return self.a(x)", "self.a = nn.Conv2d(3, 4, 3, bias=False)")
    )
    assert conv.flops == 2 * (2 * 4 * 8 * 8) * (3 * 3 * 3)
    forward = "return F.scaled_dot_product_attention(x, x, x)"
    attention = facts(task("torch.rand(2, 4, 16, 8)", forward))
    assert attention.flops is not None
    assert attention.flops >= 2 * 2 * (2 * 4 * 16 * 16 * 8)


def test_labels_masks_numbers_and_nested_outputs() -> None:
    inputs = "torch.randint(0, 9, (32,)), 2.5"
    found = facts(task(inputs, "return {'a': x, 'b': [x > 3, (x * y).half()]}"))
    assert [str(each) for each in found.inputs] == ["int64[32]"]
    assert [str(each) for each in found.outputs or ()] == ["int64[32]", "bool[32]", "float16[32]"]


def test_seventeen_gigabytes_are_measured_without_using_them() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = facts(task("torch.rand(32768, 65535), torch.randn(32768, 65535)", "return F.relu(x) * y"))
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert found.input_bytes == 2 * 32768 * 65535 * 4
    assert grown_kb < 2_000_000


def test_a_reference_that_looks_at_values_keeps_its_input_facts() -> None:
    found = facts(task("torch.rand(8)", "return x if x.sum() > 1 else y"))
    assert [str(each) for each in found.inputs] == ["float32[8]"]
    assert found.outputs is None
    assert found.flops is None
    assert found.note.startswith("output and FLOPs unknown: ")
    assert "Model.forward() failed at line 10" in found.note


def test_inputs_that_need_values_are_an_error() -> None:
    with pytest.raises(TaskError, match=r"get_inputs\(\) failed"):
        facts(task("torch.rand(8).tolist()", "return x"))


def test_a_task_that_does_not_fit_says_how_much_it_needs() -> None:
    large = task("torch.rand(32768, 65535)", "return x / x.sum(dim=1, keepdim=True)")
    assert fits(large, 1 << 60) is None
    reason = fits(large, 8_000_000_000)
    assert reason is not None
    assert reason.startswith("needs 17.2 GB of memory (17179607040 bytes; inputs 8.59 GB, parameters 0 B)")
    assert reason.endswith("8 GB are available")


def test_what_was_found_is_remembered_for_that_very_text(tmp_path: Path) -> None:
    one = task("torch.rand(3, 8, dtype=torch.float64), 2.0", "return x * y, x.sum()")
    assert remembered(one) is None
    found = facts(one)
    assert remembered(one) == found
    assert remembered(task("torch.rand(8)", "return x")) is None
    unknown = dataclasses.replace(found, outputs=None, flops=None, note="no")
    remember(one, unknown)
    assert remembered(one) == unknown


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"inputs": 1, "outputs": null}', '{"inputs": [{}]}'])
def test_a_damaged_memory_is_made_anew(tmp_path: Path, text: str) -> None:
    one = task("torch.rand(4)", "return x")
    found = facts(one)
    (path,) = (tmp_path / "facts").iterdir()
    path.write_text(text)
    facts.cache_clear()
    assert facts(one) == found
    assert remembered(one) == found


def test_a_folder_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path / "file"))
    assert facts(task("torch.rand(4)", "return x")).input_bytes == 16


def test_nobody_knows_whether_a_broken_task_fits() -> None:
    assert fits(task("torch.rand(8).tolist()", "return x"), 1) is None


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 "),
        (999, "999 "),
        (1000, "1 k"),
        (1234, "1.23 k"),
        (999_500, "1 M"),
        (17_179_738_112, "17.2 G"),
        (5e15, "5000 T"),
    ],
)
def test_amounts_are_short(number: float, said: str) -> None:
    assert amount(number) == said
