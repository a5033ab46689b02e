"""`--sandbox`: auto takes the strongest that works and says which; a name is taken at its word."""

import json
import os
import subprocess
import sys

import pytest

from kernelopt import registry
from kernelopt.errors import MissingTool, UnknownName
from kernelopt.sandboxes._choose import choose_sandbox
from kernelopt.sandboxes.bwrap import BwrapSandbox


@pytest.fixture
def machine(monkeypatch):
    """A machine on which sandboxes lack what a test says; the list is of those that were closed again."""

    def lay(**problems):
        closed = []

        def plugin(name):
            class Fake:
                def missing(self):
                    return problems[name]

                def close(self):
                    closed.append(name)

            return Fake

        def get(kind, name):
            if name not in problems:
                raise UnknownName(name)
            return plugin(name)

        monkeypatch.setattr(registry, "names", lambda kind: sorted(problems))
        monkeypatch.setattr(registry, "get", get)
        return closed

    return lay


def test_auto_takes_the_strongest_and_says_so(machine):
    closed = machine(docker=None, bwrap=None, process=None)
    assert choose_sandbox("auto") == ("docker", "sandbox: docker")
    assert closed == ["docker"]  # and no weaker one was even tried


def test_one_that_cannot_pass_a_gpu_on_is_passed_over(monkeypatch):
    asked = []

    class Fake:
        def __init__(self, gpu=""):
            asked.append(gpu)

        def missing(self):
            return None if len(asked) > 1 else "no NVIDIA runtime"

        def close(self):
            pass

    monkeypatch.setattr(registry, "names", lambda kind: ["docker", "bwrap"])
    monkeypatch.setattr(registry, "get", lambda kind, name: Fake)
    assert choose_sandbox("auto", "GPU-1").note == "sandbox: bwrap; not docker: no NVIDIA runtime"
    assert asked == ["GPU-1", "GPU-1"]


def test_one_that_knows_nothing_of_gpus_is_no_sandbox_for_them(machine):
    machine(process=None)
    with pytest.raises(MissingTool, match="sandbox process: it cannot pass a GPU on"):
        choose_sandbox("process", "0")


def test_what_is_passed_over_is_told_with_its_reason(machine):
    closed = machine(docker="no engine answers", bwrap="not installed", process=None)
    told = "sandbox: process; not docker: no engine answers; not bwrap: not installed"
    assert choose_sandbox("auto") == ("process", told)
    assert closed == ["docker", "bwrap", "process"]


def test_nothing_is_said_while_choosing(machine, capsys):
    """What follows may still be refused, in one line."""
    machine(docker="no engine answers", process=None)
    choose_sandbox("auto")
    assert capsys.readouterr() == ("", "")


def test_a_rung_that_is_not_there_is_passed_over(machine):
    machine(process=None)
    assert choose_sandbox("auto").name == "process"


def test_where_nothing_works_the_reasons_are_told(machine):
    machine(process="needs Linux")
    with pytest.raises(MissingTool, match="needs Linux"):
        choose_sandbox("auto")


def test_a_named_one_is_never_replaced_by_a_weaker(machine):
    machine(docker=None, bwrap="not installed", process=None)
    with pytest.raises(MissingTool, match="sandbox bwrap: not installed"):
        choose_sandbox("bwrap")
    assert choose_sandbox("process") == ("process", "")


@pytest.mark.parametrize("command", [["search"], ["eval", "double.py"], ["bench", "kernels"]])
def test_every_command_that_runs_kernels_has_the_flag(place, command):
    done = run(place, *command, "--suite", "ops", "--sandbox", "vault")
    assert done.returncode == 2
    assert "vault" in done.stderr and "process" in done.stderr


def bwrap_works():
    made = BwrapSandbox()
    try:
        return made.missing() is None
    finally:
        made.close()


@pytest.mark.slow
@pytest.mark.parametrize("sandbox", ["process", "bwrap"])
def test_the_level_that_was_proven_is_stamped(place, sandbox):
    if sandbox == "bwrap" and not bwrap_works():
        pytest.skip("bubblewrap does not work here")
    done = run(place, "eval", "kernels/double.py", "--suite", "ops", "--sandbox", sandbox, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout)["isolation"].split(" (")[0] == sandbox


@pytest.mark.slow
@pytest.mark.parametrize("command", [["eval", "kernels/double.py"], ["bench", "kernels"]])
def test_once_work_was_done_stderr_says_where(place, command):
    done = run(place, *command, "--suite", "ops")
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stderr.startswith("sandbox: ")
    assert len(done.stderr.splitlines()) == 1


TASK = """
import torch
from torch import nn
class Model(nn.Module):
    def forward(self, x):
        return x * 2.0
def get_inputs():
    return [torch.randn(400, 33)]
def get_init_inputs():
    return []
"""
KERNEL = """
import torch
from torch import nn
from kernelopt.inline import cpp
lib = cpp(r'''
extern "C" void f(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = 2.0f * x[i];
}
''')
class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.numel())
        return y
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sandboxes")
    for name, text in {"ops/double.py": TASK, "kernels/double.py": KERNEL, "double.py": KERNEL}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run(place, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "kernelopt", *arguments],
        cwd=place,
        env={**os.environ, "KERNELOPT_CACHE": str(place / "cache")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
