"""One package, built as a wheel and used from a folder that knows nothing of kernelopt."""

import json
import os
import re
import subprocess
import sys

import exported
import pytest

from kernelopt.export import Examined, Winner, package
from kernelopt.kernel import Kernel
from kernelopt.languages._gxx import find

pytestmark = pytest.mark.skipif(find() is None, reason="g++ was not found")

USE = """
import sys, warnings, torch
sys.modules["kernelopt"] = None                      # the package stands alone
import affine as package
x, scale, shift = torch.randn(5, 12), torch.rand(12), torch.randn(12)
wanted = lambda x: torch.relu(x * scale + shift)
call = torch.ops.affine.affine_relu
package.configure(strict=True)

def agree(found, x):
    torch.testing.assert_close(found, wanted(x), rtol=1e-5, atol=1e-5)

def refused(reason, *given):
    try:
        call(*given)
    except package.NotVerified as problem:
        assert reason in str(problem), problem
    else:
        raise AssertionError(reason)

agree(package.affine_relu(x, scale, shift), x)
calls = []
operator = package.OPERATORS["affine_relu"]
plain = operator.expected
operator.expected = lambda *given: calls.append(1) or plain(*given)

# Tested sizes go to the kernel alone; others in between are compared once; outside is refused.
for rows in (1, 3, 5, 9):
    y = torch.randn(rows, 12)
    agree(call(y, scale, shift), y)
assert calls == []
for _ in range(3):
    y = torch.randn(4, 12)
    agree(call(y, scale, shift), y)
assert calls == [1]
y = torch.randn(7, 12)
agree(call(y, scale, shift), y)                      # the kernel is wrong there: the reference's answer
refused("does not work for n0=7", y, scale, shift)
refused("outside of the verified 1 to 9", torch.randn(10, 12), scale, shift)
refused("float64", x.double(), scale, shift)
refused("strides", torch.randn(12, 5).t(), scale, shift)
refused("aligned", torch.randn(5 * 12 + 1)[1:].view(5, 12), scale, shift)
refused("shape", torch.randn(5, 11), scale, shift)

# Weights are followed, also where they are written in place.
agree(call(x, scale, shift), x)
with torch.no_grad():
    scale.mul_(3.0)
agree(call(x, scale, shift), x)

# Outside: the reference, with one warning.
package.configure()
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    for _ in range(2):
        big = torch.randn(10, 12)
        agree(call(big, scale, shift), big)
assert len(said) == 1 and "the reference is used" in str(said[0].message), said

torch.library.opcheck(call.default, (x, scale.clone().requires_grad_(), shift))
compiled = torch.compile(lambda x: call(x, scale, shift) + 1, fullgraph=True, backend="aot_eager")
torch.testing.assert_close(compiled(x), wanted(x) + 1)
with torch.autocast("cpu", torch.bfloat16):
    assert call(x.bfloat16(), scale, shift).dtype == torch.float32

class Block(torch.nn.Module):                        # the user's own module, with names of its own
    def __init__(self):
        super().__init__()
        self.bias, self.gain = torch.nn.Parameter(torch.randn(12)), torch.nn.Parameter(torch.rand(12))

    def forward(self, value):
        return (value * self.gain + self.bias).relu()

class Other(Block):
    def forward(self, value):
        return (value * self.gain - self.bias).relu()

model = torch.nn.Sequential(torch.nn.Linear(12, 12), Block(), Other()).eval()
before, keys = model(x), list(model.state_dict())
swaps = package.patch(model)
assert [(one.path, one.operator) for one in swaps] == [("1", "affine::affine_relu")], swaps
package.configure(strict=True)
torch.testing.assert_close(model(x), before)
wide = torch.randn(2, 5, 12)                         # of another rank: the module's own affair
torch.testing.assert_close(model[1](wide), (wide * model[1].gain + model[1].bias).relu())
assert list(model.state_dict()) == keys and isinstance(model[1], Block)
assert package.patch(model) == [] and package.unpatch(model) == ["1"] and type(model[1]) is Block
torch.testing.assert_close(model(x), before)
elsewhere = torch.nn.Sequential(Block()).to("meta")  # as it would be on a GPU
assert [one.path for one in package.patch(elsewhere)] == ["0"] and elsewhere(x.to("meta")).shape == (5, 12)
print("all of it")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder that was written, the folder that it is installed in, the wheel's name."""
    root = tmp_path_factory.mktemp("exported")
    written = package.build([exported.examined()], "affine", "x86-64-v2")
    package.write(written, root / "source")
    return root / "source", root / "site", exported.installed(root / "source", root / "site")


def environment(site):
    return {**os.environ, "PYTHONPATH": str(site), "CXX": "false", "PATH": "/usr/bin:/bin"}


def test_the_wheel_serves_every_python_and_holds_no_compiler_call(made):
    _, site, wheel = made
    assert wheel.startswith("affine-0.1.0-py3-none-linux")
    text = (site / "affine" / "kernels" / "affine_relu.py").read_text()
    assert 'library("affine_relu_0")' in text and "extern" not in text
    assert (site / "affine" / "csrc" / "affine_relu_0.cpp").read_text() == exported.CPP
    for path in site.rglob("*.py"):
        assert "import kernelopt" not in path.read_text() and "from kernelopt" not in path.read_text(), path


def test_operators_guards_gradients_compilation_and_patching_work_without_kernelopt(made, tmp_path):
    _, site, _ = made
    done = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=tmp_path,
        env=environment(site),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "all of it" in done.stdout, done.stderr


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_packages_own_tests_pass(made):
    source, site, _ = made
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(source)]
    text = exported.run([*command, "-c", "/dev/null", str(source / "tests")], cwd=site, env=environment(site))
    assert "7 passed" in text


def test_a_kernel_that_was_not_built_is_replaced_by_the_reference(made, tmp_path):
    source, _, _ = made  # the folder as it was written has no lib/
    use = (
        "import warnings, torch; warnings.simplefilter('ignore'); import affine; x = torch.ones(5, 12)\n"
        "assert torch.equal(affine.affine_relu(x, x[0], x[0]), x * 2); affine.configure(strict=True)\n"
        "try: affine.affine_relu(x, x[0], x[0])\n"
        "except affine.NotVerified as problem: assert 'was not built' in str(problem), problem\n"
        "else: raise AssertionError\n"
    )
    exported.run([sys.executable, "-c", use], cwd=tmp_path, env=environment(source))


def test_the_measurement_says_what_was_measured_and_hashes_every_other_file(made):
    source, _, _ = made
    record = json.loads((source / "affine" / "measurement.json").read_text())
    (claim,) = record["claims"]
    assert claim["timing"]["speedup"] == {"median": 1.5, "ci95_low": 1.4, "ci95_high": 1.6}
    assert claim["lineage"]["candidate"] == "c0ffee" and claim["isolation"] == "process"
    assert {"cpu", "torch", "compiler"} <= set(record["machine"]) and record["protocol"]
    files = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    ours = {name for name in files if not re.search(r"^build/|egg-info|__pycache__", name)}
    assert ours - set(record["files"]) == {"affine/measurement.json", "README.md"}
    readme = (source / "README.md").read_text()
    assert "1.50× (1.40 to 1.60)" in readme and "n0 1 to 9" in readme and "Apache-2.0" in readme


TRITON = """
import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def doubled(x, y, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + at, tl.load(x + at, at < n) * 2, at < n)


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        doubled[(triton.cdiv(x.numel(), 64),)](x, y, x.numel(), BLOCK=64)
        return y
"""
DOUBLE = """
import torch
from torch import nn
class Model(nn.Module):
    def forward(self, x):
        return x * 2
def get_inputs():
    return [torch.randn(5, 12)]
def get_init_inputs():
    return []
"""


def test_a_triton_package_runs_in_tritons_interpreter_and_is_compared_on_its_first_call(tmp_path):
    pytest.importorskip("triton", reason="Triton is not installed")
    winner = Winner(exported.task(source=DOUBLE), Kernel.from_source(TRITON, "triton"))
    package.write(package.build([Examined(winner, None)], "doubling", "x86-64-v3"), tmp_path / "source")
    use = (
        "import torch, doubling; x = torch.randn(5, 12); doubling.configure(strict=True)\n"
        "domain = doubling.OPERATORS['affine_relu'].kernels[0].domain; assert domain._tested == set()\n"
        "assert torch.equal(doubling.affine_relu(x), x * 2) and domain._tested == {()}\n"
        "assert torch.equal(doubling.affine_relu(x), x * 2)\n"
        "assert torch.equal(torch.ops.doubling.affine_relu_triton(x), x * 2)\n"
    )
    place = {**environment(tmp_path / "source"), "TRITON_INTERPRET": "1"}
    exported.run([sys.executable, "-c", use], cwd=tmp_path, env=place)
