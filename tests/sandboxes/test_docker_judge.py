"""A whole evaluation with candidate, compiler and reference in containers."""

import pytest
from docker_engine import needs_engine

from kernelopt.evaluation import Status
from kernelopt.evaluator.settings import Settings
from kernelopt.executors.local import make_judge
from kernelopt.kernel import Kernel
from kernelopt.task import Task

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine"), needs_engine]

TASK = Task(
    id="double",
    name="double",
    suite="file",
    source="""
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        return 2 * x
def get_inputs():
    return [torch.rand(64, 100)]
def get_init_inputs():
    return []
""",
)
KERNEL = """
import torch
from kernelopt.inline import cpp
lib = cpp(r'''
extern "C" void twice(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] + x[i];
}
''')
class ModelNew(torch.nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.twice(x, y, x.numel())
        return y
"""


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERNELOPT_CACHE", str(tmp_path_factory.mktemp("cache")))
        made = make_judge("docker", Settings(time_cap_s=0.5, batch_ms=1.0))
    yield made
    made.close()


def test_an_honest_kernel_is_built_checked_and_timed_inside(judge):
    found = judge.evaluate(Kernel.from_source(KERNEL, "cpp"), TASK)
    assert found.status is Status.PASSED, (found.reason, found.log)
    assert found.isolation == "docker"
    assert found.build and not found.build.cached
    assert found.speedup


def test_a_kernel_that_does_not_compile_is_told_why(judge):
    found = judge.evaluate(Kernel.from_source(KERNEL.replace("x[i] + x[i]", "x[i] + nope"), "cpp"), TASK)
    assert found.status is Status.BUILD_FAILED
    assert "nope" in found.log
