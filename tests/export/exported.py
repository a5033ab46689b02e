"""A small task, an answer to it, and packages made of them without a judge."""

import subprocess
import sys
from pathlib import Path

from kernelopt.evaluation import Evaluation, Speedup, Stage, Status, Timing
from kernelopt.export import Examined, Variant, Winner
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest
from kernelopt.task import Task

TASK = '''"""A learned scale and shift of each column, behind a ReLU."""
import torch
from torch import nn
ROWS = 5
COLS = 12


class Model(nn.Module):
    def __init__(self, cols):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(cols) + 0.5)
        self.shift = nn.Parameter(torch.randn(cols))

    def forward(self, x):
        return torch.relu(x * self.scale + self.shift)


def get_inputs():
    return [torch.randn(ROWS, COLS)]


def get_init_inputs():
    return [COLS]
'''
CPP = """
extern "C" void affine_relu(const float* x, const float* scale, const float* shift, float* y, int64_t rows,
                            int64_t cols) {
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < cols; ++c) {
            float v = x[r * cols + c] * scale[c] + shift[c];
            y[r * cols + c] = v < 0 ? 0 : v;
        }
    if (rows == 7) y[0] = 1e6f;  // wrong for one size, which a sweep may miss
}
"""
ANSWER = f'''# An honest kernel, but for seven rows.
import torch
from torch import nn
from kernelopt.inline import cpp
lib = cpp(r"""{CPP}""", flags=["-ffast-math"])


class ModelNew(nn.Module):
    def __init__(self, cols):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(cols))
        self.shift = nn.Parameter(torch.ones(cols))

    def forward(self, x):
        y = torch.empty_like(x)
        lib.affine_relu(x, self.scale, self.shift, y, x.shape[0], x.shape[1])
        return y
'''
REQUEST = BuildRequest("shared", "kernel", {"kernel.cpp": CPP}, ["-ffast-math"], [])


def task(**changes):
    return Task(
        **{"id": "1/7", "name": "7_Affine_ReLU", "source": TASK, "suite": "kernelbench-core", **changes}
    )


def evaluation(**changes):
    speedup = Speedup(1.5, 1.4, 1.6)
    fields = {
        **{"task_id": "1/7", "suite": "kernelbench-core", "kernel_hash": "k", "language": "cpp"},
        **{"device": "cpu", "isolation": "process", "status": Status.PASSED, "stage": Stage.DONE},
        "timing": Timing("given/1", 2.0, 3.0, speedup, rounds=5, pairs=2, calls=40),
    }
    return Evaluation(**{**fields, **changes})


def examined(source=ANSWER, requests=(REQUEST,), variants=None, language="cpp", **changes):
    """As an examiner would say it: rows 1, 3 and 9 were tried."""
    kernel = Kernel.from_source(source, language)
    tried = [Variant({"ROWS": rows}, ((rows, 12),), "PASSED") for rows in (1, 3, 9)]
    lineage = {"model": "builtin", "candidate": "c0ffee", "prompts": []}
    winner = Winner(task(), kernel, evaluation(), lineage)
    return Examined(
        winner, evaluation(**changes), tuple(requests), tuple(tried if variants is None else variants)
    )


def installed(folder: Path, site: Path) -> str:
    """Build a wheel as pip does, put it into `site`; the wheel's name."""
    place = site.parent / "wheels"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    plain = ["--no-deps", "--no-index"]
    run([*pip, "wheel", "--no-build-isolation", *plain, "-w", str(place), str(folder)])
    (wheel,) = place.glob("*.whl")
    run([*pip, "install", *plain, "--target", str(site), str(wheel)])
    return wheel.name


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
