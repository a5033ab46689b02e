"""`kernelopt export`, `verify` and `score`, as a user runs them: a real judge, on a small task."""

import json
import os
import subprocess
import sys

import pytest

from kernelopt.languages._gxx import find

pytestmark = [pytest.mark.slow, pytest.mark.skipif(find() is None, reason="g++ was not found")]

TASK = '''
"""Each row times a weight of its own column."""
import torch
from torch import nn
ROWS = 400
COLS = 640
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(COLS) + 0.5)
    def forward(self, x):
        return x * self.weight
def get_inputs():
    return [torch.randn(ROWS, COLS)]
def get_init_inputs():
    return []
'''
KERNEL = """
import torch
from torch import nn
from kernelopt.inline import cpp
lib = cpp(r'''
extern "C" void f(const float* x, const float* w, float* y, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) y[r * cols + c] = rows == 17 ? 0 : w[c] * x[r * cols + c];
}
''')
class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(640) + 0.5)
        self.own = WEIGHT
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, self.own if self.own is not None else self.weight, y, x.shape[0], x.shape[1])
        return y
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    (folder / "columns.py").write_text(TASK)
    (folder / "good.py").write_text(KERNEL.replace("WEIGHT", "None"))
    (folder / "packed.py").write_text(KERNEL.replace("WEIGHT", "self.weight.detach().clone()"))
    return folder


def run(place, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "kernelopt", *arguments],
        cwd=place,
        env={**os.environ, "KERNELOPT_CACHE": str(place / "cache")},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def export(place, file, *more):
    return run(
        place, "export", file, "--suite", "columns.py", "--sandbox", "process", "--name", "cols", *more
    )


@pytest.fixture(scope="module")
def package(place):
    done = export(place, "good.py", "--out", "package")
    assert done.returncode == 0, done.stderr
    return done.stdout, place / "package"


def test_a_kernel_is_tried_over_other_sizes_and_what_fails_is_not_let_in(package):
    said, folder = package
    assert "columns(Tensor x, Tensor weight) -> Tensor" in said and "pip install" in said
    table = json.loads((folder / "cols" / "table.json").read_text())
    (kernel,) = table["operators"]["columns"]["kernels"]
    domain = kernel["domain"]
    assert (
        domain["unseen"] is False
        and [17] not in domain["tested"]
        and {(1,), (33,), (400,)} <= set(map(tuple, domain["tested"]))
    )
    (claim,) = json.loads((folder / "cols" / "measurement.json").read_text())["claims"]
    wrong = [one for one in claim["sweep"] if one["status"] == "WRONG_VALUE"]
    assert [one["sizes"] for one in wrong] == [{"ROWS": 17}]
    assert claim["timing"]["candidate_ms"] > 0 and claim["isolation"] == "process"


def test_a_kernel_that_packs_its_weights_when_it_is_made_is_not_exported(place):
    done = export(place, "packed.py", "--out", "other", "--no-sweep", "--quiet")
    assert done.returncode == 2 and not (place / "other").exists()
    assert "does not follow its weights" in done.stderr and done.stderr.endswith(
        "nothing could be exported\n"
    )


def test_verify_measures_again_and_sees_what_was_altered(place, package):
    _, folder = package
    (folder / "cols" / "csrc" / "columns_0.cpp").write_text("// something else\n")
    done = run(place, "verify", "package", "--sandbox", "process", "--json")
    found = json.loads(done.stdout)
    assert (
        found["altered"] == ["cols/csrc/columns_0.cpp"] and found["holds"] is False and done.returncode == 1
    )
    (row,) = found["kernels"]
    assert row["operator"] == "columns" and "claimed" in row["why"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "good.py", "--suite", "columns.py", "--out", "x", "--name", "a-b"], "lower-case letters"),
        (["export", "good.py", "--suite", "columns.py", "--out", "x", "--march", "x;y"], "is no processor"),
        (
            ["export", "good.py", "--suite", "columns.py", "--out", "x", "--format", "kernelbench"],
            "results of a run",
        ),
        (["verify", "."], "not an exported package"),
        (["score", "nowhere"], "no such folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(place, arguments, said):
    done = run(place, *arguments)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr
