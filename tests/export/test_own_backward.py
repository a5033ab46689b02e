"""A kernel's own backward pass: found, judged, exported, and used in place of the reference's."""

import dataclasses
import os
import subprocess
import sys

import exported
import pytest

from kernelopt.evaluation import Check, Status
from kernelopt.export import OWN, UNTRIED, Examined, Variant, Winner, package
from kernelopt.export.backward import has_backward, verdict
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest
from kernelopt.languages._gxx import find
from kernelopt.suites import SuiteOptions
from kernelopt.suites._fit import select

CPP = r"""
#include <cmath>
extern "C" void chain(const float* x, const float* scale, const float* shift, float* y, int64_t rows,
                      int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < cols; ++c) {
            float t = std::tanh(x[r * cols + c] * scale[c] + shift[c]), v = t * t * 2.0f - 0.5f * t;
            y[r * cols + c] = v < 0.0f ? 0.0f : v > 1.5f ? 1.5f : v;
        }
}
extern "C" void chain_backward(const float* g, const float* x, const float* scale, const float* shift,
                               float* dx, float* dscale, float* dshift, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t c = 0; c < cols; ++c) {
        double by_scale = 0, by_shift = 0;
        for (int64_t r = 0; r < rows; ++r) {
            int64_t i = r * cols + c;
            float t = std::tanh(x[i] * scale[c] + shift[c]), v = t * t * 2.0f - 0.5f * t;
            float inner = v >= 0.0f && v <= 1.5f ? (4.0f * t - 0.5f) * (1.0f - t * t) * g[i] : 0.0f;
            dx[i] = inner * scale[c];
            by_scale += double(inner) * x[i];
            by_shift += inner;
        }
        dscale[c] = float(by_scale), dshift[c] = float(by_shift);
    }
}
"""
ANSWER = f'''
import torch
from torch import nn
from kernelopt.inline import cpp
lib = cpp(r"""{CPP}""")


class Chain(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, shift):
        ctx.save_for_backward(x, scale, shift)
        y = torch.empty_like(x)
        lib.chain(x, scale, shift, y, x.shape[0], x.shape[1])
        return y

    @staticmethod
    def backward(ctx, grad):
        x, scale, shift = ctx.saved_tensors
        dx, dscale, dshift = torch.empty_like(x), torch.empty_like(scale), torch.empty_like(shift)
        lib.chain_backward(grad.contiguous(), x, scale, shift, dx, dscale, dshift, x.shape[0], x.shape[1])
        return dx, dscale, dshift


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.scale = nn.Parameter(1.0 + 0.3 * torch.randn(dim))
        self.shift = nn.Parameter(0.5 * torch.randn(dim))

    def forward(self, x):
        return Chain.apply(x, self.scale, self.shift)
'''
"""For the bundled task 2/12, a chain of an affine map, tanh, a square and a clamp."""
REQUEST = BuildRequest("shared", "kernel", {"kernel.cpp": CPP}, [], [])


@pytest.fixture(scope="module")
def task():
    (found,) = select("kernelbench-core", SuiteOptions(tasks=("2/12",))).tasks
    small = found.source.replace("ROWS = 1500", "ROWS = 40").replace("DIM = 1001", "DIM = 37")
    return dataclasses.replace(found, source=small)


def examined(task, source=ANSWER, **changes):
    tried = [Variant({"ROWS": rows}, ((rows, 37),), "PASSED", backward=rows != 30) for rows in (1, 9, 30, 50)]
    winner = Winner(task, Kernel.from_source(source, "cpp"))
    fields = {"variants": tuple(tried), "backward": OWN, **changes}
    return Examined(winner, exported.evaluation(), (REQUEST,), **fields)


# --- Which answers have one, and what the judge said ------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ANSWER, True),
        ("class F(Function):\n    def vjp(ctx, g): return g\n", True),
        ("op.register_autograd(formula, setup_context=kept)\n", True),
        (exported.ANSWER, False),
        ("class F(torch.autograd.Function):\n    def forward(ctx, x): return x\n", False),
        ("class F(nn.Module):\n    def backward(self, g): return g\n", False),
    ],
)
def test_a_backward_pass_is_known_by_its_function(text, found):
    assert has_backward(text) is found


def test_the_judges_word_decides():
    right, wrong = Check("backward/1", Status.PASSED), Check("backward/1", Status.WRONG_VALUE, detail="no")
    assert verdict(exported.evaluation(checks=(right,))) == ""
    assert verdict(exported.evaluation(checks=(wrong,), status=Status.WRONG_VALUE)) == "no"
    assert verdict(exported.evaluation(checks=())) == "the reference has no gradients"
    failed = exported.evaluation(status=Status.CRASHED, reason="it died", timing=None)
    assert verdict(failed) == "it died"


# --- What is written --------------------------------------------------------------------------------------


def test_gradients_have_a_domain_of_their_own(task):
    made = package.build([examined(task)], "chain", "x86-64-v2")
    (kernel,) = made.table["affine_tanh_chain"]["kernels"]
    assert [30] in kernel["domain"]["tested"] and kernel["domain"]["unseen"]
    assert [30] not in kernel["backward"]["tested"] and not kernel["backward"]["unseen"]
    (claim,) = made.claims
    assert claim["backward"] == OWN and claim["sweep"][2] == {
        "sizes": {"ROWS": 30},
        "status": "PASSED",
        "backward": False,
    }
    assert "own backward pass" in made.files["README.md"]


def test_a_backward_pass_that_is_wrong_is_left_out_and_why_is_written_down(task):
    made = package.build([examined(task, backward="gradient by input 0: 3 are wrong")], "chain", "x86-64-v2")
    assert "backward" not in made.table["affine_tanh_chain"]["kernels"][0]
    assert made.claims[0]["backward"] == "gradient by input 0: 3 are wrong"
    assert "running the reference again; kernels have none" in made.files["README.md"]


def test_one_that_could_not_be_run_here_is_compared_with_the_reference_when_it_is_first_used(task):
    made = package.build(
        [dataclasses.replace(examined(task), evaluation=None, backward=UNTRIED)], "chain", "v2"
    )
    (kernel,) = made.table["affine_tanh_chain"]["kernels"]
    assert kernel["backward"]["tested"] == [] and kernel["backward"]["unseen"]


# --- In use -----------------------------------------------------------------------------------------------

USE = """
import sys, warnings, torch
sys.modules["kernelopt"] = None
import chain as package
package.configure(strict=True)
operator, call = package.OPERATORS["affine_tanh_chain"], torch.ops.chain.affine_tanh_chain
asked, plain = [], operator._expected_gradients
operator._expected_gradients = lambda *given: asked.append(1) or plain(*given)

def leaves(rows):
    torch.manual_seed(rows)
    return [one.requires_grad_() for one in (torch.randn(rows, 37), torch.rand(37) + 1, torch.randn(37))]

def wanted(x, scale, shift):
    x = torch.tanh(x * scale + shift)
    return torch.clamp(x * x * 2.0 - 0.5 * x, min=0.0, max=1.5)

def gradients(out, by, **more):
    torch.manual_seed(1)
    return torch.autograd.grad(out, by, torch.randn(out.shape), **more)

def agree(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)

for rows in (1, 9, 40, 50):                          # verified, gradients and all: no reference
    by = leaves(rows)
    agree(gradients(call(*by), by), gradients(wanted(*by), by))
assert asked == []
by = leaves(40)                                      # by some of them; grads of other layouts
agree(gradients(call(by[0], by[1].detach(), by[2]), [by[2]]), gradients(wanted(*by), [by[2]]))
agree(torch.autograd.grad(call(*by).sum(), by), torch.autograd.grad(wanted(*by).sum(), by))

by = leaves(30)                                      # its gradients are wrong there, its outputs are not
package.configure()
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    agree(gradients(call(*by), by), gradients(wanted(*by), by))
assert asked == [1] and "n0=30 was not verified" in str(said[0].message)
package.configure(strict=True)

by = leaves(40)                                      # training: weights change in place
for _ in range(2):
    agree(gradients(call(*by), by), gradients(wanted(*by), by))
    with torch.no_grad():
        by[1].add_(0.25)
assert asked == [1] and len(operator.kernels[0]._trained._kept) < 8

# The same tensor twice, second derivatives, and compilers.
x, scale, _ = leaves(40)
agree(gradients(call(x, scale, scale), [scale]), gradients(wanted(x, scale, scale), [scale]))
by = leaves(40)
twice = [gradients(sum(one.square().sum() for one in gradients(f(*by), by, create_graph=True)), by)
         for f in (call, wanted)]
agree(*twice)
assert asked == [1]
torch.library.opcheck(call.default, leaves(40))
back = torch.ops.chain.affine_tanh_chain_backward.default
torch.library.opcheck(back, ([torch.randn(40, 37)], [True, True, False], *map(torch.detach, leaves(40))))
torch._dynamo.reset()
compiled = torch.compile(lambda *given: call(*given) * 2, fullgraph=True, backend="aot_eager")
by = leaves(40)
agree(gradients(compiled(*by), by), gradients(wanted(*by) * 2, by))
assert asked == [1]
print("all of it")
"""


@pytest.fixture(scope="module")
def made(task, tmp_path_factory):
    root = tmp_path_factory.mktemp("own_backward")
    package.write(package.build([examined(task)], "chain", "x86-64-v2"), root / "source")
    exported.installed(root / "source", root / "site")
    return root / "source", {**os.environ, "PYTHONPATH": str(root / "site")}


@pytest.mark.skipif(find() is None, reason="g++ was not found")
def test_gradients_of_a_bundled_task_come_from_the_kernel(made, tmp_path):
    _, place = made
    command = [sys.executable, "-c", USE]
    done = subprocess.run(command, cwd=tmp_path, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "all of it" in done.stdout, done.stderr


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.skipif(find() is None, reason="g++ was not found")
def test_the_packages_own_tests_look_at_its_gradients(made, tmp_path):
    source, place = made
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(source)]
    text = exported.run([*command, "-c", "/dev/null", str(source / "tests")], cwd=tmp_path, env=place)
    assert "8 passed" in text
