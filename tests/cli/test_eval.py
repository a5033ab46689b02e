"""`kernelopt eval` and `bench`, as a user runs them: real builds, real verdicts, documented JSON."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

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
FIELDS = {
    *("status", "stage", "task", "suite", "language", "device", "isolation", "correct", "reason", "checks"),
    *("build", "speedup", "candidate_ms", "reference_ms", "baseline", "seconds", "asi", "environment"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eval")
    (folder / "ops").mkdir()
    (folder / "ops" / "double.py").write_text(TASK)
    (folder / "ops" / "Triple.py").write_text(TASK.replace("2.0", "3.0"))
    (folder / "kernels").mkdir()
    (folder / "kernels" / "double.py").write_text(KERNEL)
    (folder / "wrong.py").write_text(KERNEL.replace("2.0f", "2.5f"))
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


def test_a_passing_kernel_has_every_documented_field_and_exit_code_0(place):
    done = run(place, "eval", "kernels/double.py", "--suite", "ops", "--task", "double", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) >= FIELDS
    assert (found["status"], found["stage"], found["task"]) == ("PASSED", "done", "double")
    assert found["correct"] is True
    assert set(found["speedup"]) == {"median", "ci95_low", "ci95_high"}
    assert set(found["build"]) >= {"seconds", "cached", "log"}
    assert found["candidate_ms"] > 0 and found["reference_ms"] > 0
    assert {"workload_id", "status", "max_abs_error"} <= set(found["checks"][0])
    assert found["asi"].startswith("PASSED")


def test_a_wrong_kernel_is_exit_code_1_and_explained(place):
    done = run(place, "eval", "wrong.py", "--suite", "ops", "--task", "double", "--explain")
    assert done.returncode == 1
    assert done.stdout.startswith("WRONG_VALUE  double")
    assert "times a constant" in done.stdout


def test_a_folder_of_kernels_is_matched_by_name(place):
    done = run(place, "bench", "kernels", "--suite", "ops", "--json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["kernels"]
    assert found["task"] == "double" and found["status"] == "PASSED"


def test_one_failure_in_a_folder_is_exit_code_1(place):
    (place / "mixed").mkdir(exist_ok=True)
    (place / "mixed" / "double.py").write_text(KERNEL)
    (place / "mixed" / "triple.py").write_text(KERNEL)  # doubles, so it is wrong for Triple
    done = run(place, "bench", "mixed", "--suite", "ops")
    assert done.returncode == 1
    assert "1 of 2 passed" in done.stdout
