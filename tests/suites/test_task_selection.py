"""Which tasks a command runs: chosen, narrowed, or skipped with the reason."""

import pytest

from kernelopt.errors import ConfigError
from kernelopt.suites import SuiteOptions
from kernelopt.suites._fit import select

TASK = """
import torch
from torch import nn
N = {size}
class Model(nn.Module):
    def forward(self, x):
        return x + 1
def get_inputs():
    return [torch.rand(N, 1024)]
def get_init_inputs():
    return []
"""


@pytest.fixture
def ops(tmp_path):
    (tmp_path / "small.py").write_text(TASK.format(size=8))
    (tmp_path / "huge.py").write_text(TASK.format(size=1 << 32))
    return tmp_path


def test_a_task_too_large_for_the_memory_is_skipped_with_its_bytes(ops):
    chosen = select(str(ops), SuiteOptions())
    assert [task.id for task in chosen.tasks] == ["small"]
    assert [task.id for task in chosen.skipped] == ["huge"]
    reason, size = chosen.reasons["huge"]
    assert "memory" in reason or "fit" in reason
    assert size >= 1 << 44
    assert chosen.provenance.tasks == 2


def test_nothing_left_to_run_is_one_clear_line(ops):
    with pytest.raises(ConfigError, match="no task can run here"):
        select(str(ops), SuiteOptions(tasks=("huge",)))


def test_without_a_choice_a_search_takes_the_representative_tasks():
    chosen = select("kernelbench-core", SuiteOptions(), narrow=True)
    assert len(chosen.tasks) == 16
    assert all("representative" in task.tags for task in chosen.tasks)


def test_a_choice_of_the_user_s_is_kept():
    assert len(select("kernelbench-core", SuiteOptions(limit=3), narrow=True).tasks) == 3


def test_a_task_whose_reference_fails_is_skipped_with_its_line(ops):
    (ops / "sick.py").write_text(TASK.format(size="undefined_name"))
    chosen = select(str(ops), SuiteOptions())
    assert [task.id for task in chosen.tasks] == ["small"]
    assert "undefined_name" in chosen.reasons["sick"][0]
