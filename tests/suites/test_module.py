"""A task file is judged by its text alone, and errors say file, line and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernelopt.errors import ConfigError, TaskError, UnknownName
from kernelopt.suites import SuiteOptions
from kernelopt.suites._module import check, read_task, read_text
from kernelopt.suites._select import Entry
from kernelopt.task import Task

SIZED = '''"""Adds."""
import torch

TAGS = ("elementwise", "representative")
SIZES = {"cpu": {"ROWS": 8}, "gpu": {"ROWS": 4096}}
ROWS = 8


class Model(torch.nn.Module):
    def forward(self, x):
        return x


def get_inputs():
    return [torch.rand(ROWS)]


def get_init_inputs():
    return []
'''


def read(source: str, **options: object) -> Task:
    entry = Entry("1/23", "23_Add", "23_Add.py", lambda: source, 1)
    return read_task(entry, "kernelbench", SuiteOptions(**options))  # type: ignore[arg-type]


def test_a_task_is_read_without_being_executed(module: str) -> None:
    task = read(module + "raise SystemExit\n")
    assert (task.id, task.name, task.level, task.size) == ("1/23", "23_Add", 1, "as given")
    assert task.source.endswith("raise SystemExit\n")


def test_a_task_takes_the_named_size_and_loses_the_table() -> None:
    task = read(SIZED, size="gpu")
    assert task.size == "gpu"
    assert "ROWS = 4096" in task.source
    assert "SIZES" not in task.source
    assert "TAGS" not in task.source
    assert task.tags == ("elementwise", "representative")


def test_the_default_size_is_for_the_cpu_unless_a_gpu_is_meant() -> None:
    assert read(SIZED).size == "cpu"
    assert read(SIZED, default_size="gpu").size == "gpu"
    assert read(SIZED, default_size="npu").size == "cpu"


def test_tasks_without_named_sizes_ignore_the_default_size(module: str) -> None:
    assert read(module, default_size="gpu") == read(module)


def test_shrinking_is_written_on_the_task(module: str) -> None:
    task = read(module, shrink=64)
    assert task.size == "shrunk 64"
    assert "batch_size = 2\n" in task.source
    assert read(module, shrink=1).size == "as given"


def test_an_unknown_size_lists_those_there_are() -> None:
    with pytest.raises(UnknownName, match=r"23_Add.py has no size 'tpu'; it has: cpu, gpu"):
        read(SIZED, size="tpu")


def test_flags_that_do_not_fit_are_refused(module: str) -> None:
    with pytest.raises(ConfigError, match="use --size instead of --shrink"):
        read(SIZED, shrink=8)
    with pytest.raises(ConfigError, match="no named sizes"):
        read(module, size="cpu")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (SIZED.replace("class Model", "class Modell"), r"t.py:19: the module ends without class Model;"),
        (SIZED.replace("def get_inputs", "def inputs"), r"t.py:19: the module ends without get_inputs\(\);"),
        ("x = 1", r"t.py:1: the module ends without class Model and get_inputs\(\) and get_init_inputs\(\)"),
        ("", r"t.py:1: the module ends without class Model"),
        ("def (", r"t.py:1: no valid Python: "),
        ("x = '\0'", r"t.py:1: no valid Python: "),
        (SIZED.replace("get_inputs()", "get_inputs(n)"), r"t.py:14: get_inputs\(\) has to work without"),
        (SIZED.replace("def get_inputs", "async def get_inputs"), r"t.py:14: get_inputs has to be a plain"),
        (SIZED.replace("def forward", "def fwd"), r"t.py:9: class Model has no forward\(\)"),
        (
            SIZED.replace(
                "class Model(torch.nn.Module):\n    def forward(self, x):", "def Model(x):\n    if x:"
            ),
            r"t.py:9: Model has to be a class",
        ),
        (SIZED.replace('{"ROWS": 8}', '{"ROWS": N}'), r"t.py:5: SIZES has to be one literal"),
    ],
)
def test_a_broken_contract_is_one_line_with_the_place(broken: str, said: str) -> None:
    with pytest.raises(TaskError, match=said) as caught:
        check(broken, "t.py")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        SIZED.replace("get_inputs()", "get_inputs(n=3, *, m=2)"),
        SIZED.replace("torch.nn.Module", "Base").replace("def forward", "def helper"),
        "from ops import Model\nget_inputs = get_init_inputs = list\n",
        "try:\n    from ops import Model, get_inputs, get_init_inputs\nexcept ImportError:\n    pass\n",
    ],
)
def test_what_may_keep_the_contract_is_let_through(source: str) -> None:
    check(source, "t.py")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("SIZES = {}", "SIZES has to look like"),
        ("SIZES = [1]", "SIZES has to look like"),
        ('SIZES = {"cpu": {"COLS": 1}}', r"SIZES\['cpu'\]: there is no module-level constant 'COLS'"),
        ("TAGS = (1,)", "TAGS has to be a tuple of strings"),
        ('TAGS = "softmax"', "TAGS has to be a tuple of strings"),
    ],
)
def test_tables_of_the_wrong_form_are_refused(module: str, table: str, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        read(f"{module}\n{table}\n")


def test_a_file_is_read_in_the_encoding_that_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "t.py"
    path.write_bytes("# coding: latin-1\r\nname = 'ß'\r\n".encode("latin-1"))
    assert read_text(path) == "# coding: latin-1\nname = 'ß'\n"


@pytest.mark.parametrize("content", [b"x = '\xff'\n", b"# coding: klingon\n"])
def test_a_file_that_cannot_be_decoded_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.py"
    path.write_bytes(content)
    with pytest.raises(TaskError, match=r"t\.py: cannot be read as Python source: "):
        read_text(path)
    with pytest.raises(TaskError, match=r"gone\.py: cannot be read .* No such file"):
        read_text(tmp_path / "gone.py")
