"""Flags that ask more of kernels, or less: they reach the judge, the manifest and a resumed run."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, fields

import pytest

from kernelopt.cli.main import main
from kernelopt.cli.search import run_and_show
from kernelopt.errors import UsageError
from kernelopt.evaluator.settings import PRECISIONS, RULES, Settings
from kernelopt.executors import Rules
from kernelopt.executors._open import open_executor
from kernelopt.executors.local import LocalExecutor, settings_for
from kernelopt.search.budget import Budget
from kernelopt.search.plan import Plan, from_json, to_json
from kernelopt.task import Provenance

NAMES = [field.name for field in fields(Rules) if field.name != "precision"]
PROVENANCE = Provenance("file", official=False, tasks=0)
COMMANDS = (["search"], ["eval", "double.py"], ["bench", "kernels"])
TASK = """
import torch
from torch import nn
class Model(nn.Module):
    def forward(self, x):
        return x * 2.0 + 1.0
def get_inputs():
    return [torch.randn(400, 33)]
def get_init_inputs():
    return []
"""
HALF = """
import torch
from torch import nn
from kernelopt.inline import cpp
lib = cpp(r'''
extern "C" void f(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = (float)(_Float16)(2.0f * x[i] + 1.0f);
}
''')
class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.numel())
        return y
"""


def manifest(rules):
    """A plan with these rules, as the manifest keeps it."""
    return json.loads(json.dumps(to_json(Plan((), PROVENANCE, Budget(), rules=rules))))


class Recorded(UsageError):
    """Ends a command where the work would begin."""


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Run a command line up to where kernels would be evaluated; the rules that it came with."""
    for name, text in {"ops/double.py": TASK, "kernels/double.py": HALF, "double.py": HALF}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    seen = []

    def evaluate(executor, kernel, task):
        seen.append(executor._rules)
        raise Recorded("seen")

    def start(plan, root, name, watch):
        seen.append(plan.rules)
        raise Recorded("seen")

    monkeypatch.setattr(LocalExecutor, "evaluate", evaluate)
    monkeypatch.setattr("kernelopt.search.run.start", start)

    def run(*arguments):
        assert main([*arguments, "--suite", "ops", "--sandbox", "process"]) == 2
        return seen.pop()

    return run


def flag(name):
    return f"--{name.replace('_', '-')}"


def test_the_usual_is_the_judge_s_default():
    assert settings_for(Rules()) == Settings()
    assert tuple(NAMES) == RULES
    assert Rules().text() == ""


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_is_a_setting_of_the_judge(name):
    rules = Rules(**{name: True})
    assert getattr(settings_for(rules), name) is True
    assert {n for n in NAMES if getattr(settings_for(rules), n)} == {name}
    assert rules.text() == flag(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_each_command_has_each_flag(asked, command, name):
    precision = "quick" if command[0] == "search" else ""
    assert asked(*command) == Rules(precision=precision)
    assert asked(*command, flag(name)) == Rules(**{name: True}, precision=precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_each_command_times_as_well_as_it_is_told(asked, command, precision):
    rules = Rules(precision=precision)
    assert asked(*command, "--precision", precision) == rules
    assert rules.text() == f"--precision {precision}"
    assert settings_for(rules) == Settings().precise(precision)


def test_a_precision_that_there_is_not(asked, capsys):
    assert main(["eval", "double.py", "--precision", "perfect"]) == 2
    assert "'perfect' is not one of 'quick', 'usual', 'thorough'" in capsys.readouterr().err


def test_a_configuration_file_has_them_too(asked, tmp_path):
    (tmp_path / "kernelopt.toml").write_text("[eval]\nstrict-shapes = true\nallow_libraries = true\n")
    assert asked("eval", "double.py") == Rules(strict_shapes=True, allow_libraries=True)


def test_a_dry_run_tells_them(asked, capsys):
    assert main(["search", "--suite", "ops", "--sandbox", "process", "--dry-run", "--check-backward"]) == 0
    assert "--check-backward" in capsys.readouterr().out


@pytest.mark.parametrize("name", [None, *NAMES])
def test_a_resumed_run_has_those_it_began_with(name):
    rules = Rules(**({name: True} if name else {}))
    kept = manifest(rules)
    assert kept["rules"] == asdict(rules)
    assert from_json(kept, [], PROVENANCE).rules == rules


def test_a_run_from_before_there_were_rules_has_the_usual_ones():
    old = manifest(Rules())
    del old["rules"]
    assert from_json(old, [], PROVENANCE).rules == Rules(precision="usual")


@pytest.mark.parametrize(("thorough", "precision"), [(True, "thorough"), (False, "usual")])
def test_a_run_from_before_there_were_precisions_goes_on_as_it_began(thorough, precision):
    old = manifest(Rules())
    del old["rules"]["precision"]
    old["rules"]["thorough"] = thorough
    assert from_json(old, [], PROVENANCE).rules == Rules(precision=precision)


def test_the_executor_is_opened_with_them():
    assert open_executor("local", "process", Rules(strict_shapes=True))._rules == Rules(strict_shapes=True)
    assert open_executor("local", "process")._rules == Rules()


def test_notes_are_said_when_a_search_begins(capsys):
    def refuse(_watch):
        raise Recorded("no")

    def begin(watch):
        watch.begun()
        raise Recorded("no")

    for action, quiet, told in ((refuse, False, ""), (begin, True, ""), (begin, False, "sandbox: x\n")):
        with pytest.raises(Recorded):
            run_and_show(action, quiet, ("", "sandbox: x"))
        assert capsys.readouterr().err == told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "status", "rules"),
    [((), "WRONG_VALUE", None), (("--allow-reduced-precision",), "PASSED", "allow_reduced_precision")],
)
def test_half_precision_in_a_float32_task_passes_only_where_it_is_allowed(tmp_path, flags, status, rules):
    (tmp_path / "double.py").write_text(TASK)
    (tmp_path / "half.py").write_text(HALF)
    command = ["eval", "half.py", "--suite", "double.py", "--sandbox", "process", "--json", *flags]
    done = subprocess.run(
        [sys.executable, "-m", "kernelopt", *command],
        cwd=tmp_path,
        env={**os.environ, "KERNELOPT_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    found = json.loads(done.stdout)
    assert found["status"] == status, found["reason"]
    assert found["environment"].get("rules") == rules
