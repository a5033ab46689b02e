"""The Python API: the commands as functions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import kernelopt
from kernelopt.cli.main import main
from kernelopt.errors import ConfigError, UsageError

TASK = """
import torch
from torch import nn
class Model(nn.Module):
    def forward(self, x):
        return torch.relu(x * 2.0 + 1.0)
def get_inputs():
    return [torch.randn(300, 33)]
def get_init_inputs():
    return []
"""
KERNEL = """
import torch
from torch import nn
from kernelopt.inline import cpp
lib = cpp(r'''
extern "C" void f(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) { float v = 2.0f * x[i] + 1.0f; y[i] = v > 0 ? v : 0; }
}
''')
class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.numel())
        return y
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "double.py").write_text(TASK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_importing_the_package_imports_nothing_heavy():
    """Every kernel imports it for `kernelopt.inline`."""
    program = "import sys, kernelopt; print([m for m in sys.modules if m in ('torch', 'click', 'numpy')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_listed_is_there():
    assert all(getattr(kernelopt, name) for name in kernelopt.__all__)
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        kernelopt.serach  # noqa: B018


def test_the_package_of_the_search_can_be_called_whichever_was_imported_first():
    """`kernelopt.search` names both."""
    program = "import kernelopt.search.plan, kernelopt; kernelopt.search('nowhere.py', tempo=3)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "TypeError: search() has no argument 'tempo'" in done.stderr


def test_export_is_a_package_and_a_function():
    import kernelopt.export.naming

    with pytest.raises(UsageError, match="no run 'nowhere'"):
        kernelopt.export("nowhere", out="out")


def test_a_file_is_exported_as_the_command_would(place, monkeypatch):
    from kernelopt.export import Examined, deliver

    def without_a_judge(winners, sandbox, **how):
        asked.append(how)
        return [Examined(one, None) for one in winners]

    asked = []
    monkeypatch.setattr(deliver, "examined", without_a_judge)
    (place / "My-Kernel.py").write_text("class ModelNew: pass\n")
    how = {
        "suite": "double.py",
        "out": place / "made",
        "sweep": False,
        "march": "native",
        "sandbox": "process",
    }
    (found,) = kernelopt.export("My-Kernel.py", **how)
    assert found.winner.task.id == "double" and (place / "made/kernels_my_kernel/operators.py").exists()
    assert asked[0]["sweep"] is False and asked[0]["march"] == "native"
    with pytest.raises(UsageError, match="is no processor"):
        kernelopt.export("My-Kernel.py", **{**how, "march": "x;y"})


def test_a_kernel_is_judged_from_its_text(place):
    found = kernelopt.evaluate(KERNEL, suite=place / "double.py", sandbox="process")
    assert found.correct and found.task_id == "double" and found.speedup.ci95_low > 0


def test_a_file_that_is_not_there_is_bad_input(place):
    with pytest.raises(UsageError, match=r"mine\.py: the kernel cannot be read"):
        kernelopt.evaluate(place / "mine.py", suite=place / "double.py", sandbox="process")


def test_one_of_many_tasks_has_to_be_named():
    with pytest.raises(ConfigError, match="say which"):
        kernelopt.evaluate(KERNEL, suite="kernelbench", sandbox="process")


def test_an_argument_that_does_not_exist_is_refused_before_anything_is_done():
    with pytest.raises(TypeError, match="no argument 'tempo'"):
        kernelopt.search("nowhere.py", tempo=3)


@pytest.mark.slow
def test_a_search_and_its_report_agree_with_the_commands(place, capsys):
    said = []
    run = kernelopt.search(
        Path("double.py"),
        budget_evals=1,
        refinements=0,
        sandbox="process",
        name="mine",
        on_note=said.append,
    )
    assert [task.id for task in run.tasks] == ["double"] and run.state == "finished"
    assert run.budget.rollouts == 1
    loaded = kernelopt.load_run("mine")
    assert loaded.tasks[0].best == run.tasks[0].best
    assert main(["report", "mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == "mine"
