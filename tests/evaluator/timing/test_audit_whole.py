"""Of a kernel that is faster, one timed call is held to the tolerance of the checks; a glance allows more."""

import pytest
from judging import task

from kernelopt.evaluation import Status

STEPS = task(
    "torch.relu(x * 3.0 + 1.0).mul(0.5).add(2.0).mul(0.25).sub(1.0).mul(3.0).add(0.5).mul(2.0).sub(1.0)",
    "[torch.randn(500, 370)]",
)
KERNEL = r"""
import torch
from torch import nn
from kernelopt.inline import cpp

lib = cpp(r'''
static long calls = 0;
extern "C" void steps(const float* x, float* y, int64_t n) {
  float off = ++calls > 16 ? ERRORf : 0.0f;
  #pragma omp parallel for simd
  for (int64_t i = 0; i < n; ++i) {
    float v = x[i] * 3.0f + 1.0f;
    v = v > 0 ? v : 0;
    y[i] = (((v * 0.5f + 2.0f) * 0.25f - 1.0f) * 3.0f + 0.5f) * 2.0f - 1.0f + off;
  }
}
''')

class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.steps(x, y, x.numel())
        return y
"""
BETWEEN = 4e-4
"""Where relu cuts, the output is -3 and the tolerance 2.4e-4; a glance allows four times as much."""


@pytest.mark.parametrize(
    ("error", "status"), [(0.0, Status.PASSED), (BETWEEN, Status.SUSPECT)], ids=["none", "small"]
)
def test_what_a_glance_lets_pass_is_found_where_the_kernel_is_faster(evaluate, error, status):
    for _ in range(5):  # on a busy machine it is not always seen to be faster
        found = evaluate(KERNEL.replace("ERROR", f"{error:.8f}"), task=STEPS, static=False, batch_ms=4.0)
        if found.status is not Status.PASSED or found.speedup.ci95_low > 1:
            break
    assert found.status is status, found.reason
    assert error == 0 or "wrong when timed" in found.reason
