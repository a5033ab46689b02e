"""A kernel that can tell timed calls from checked ones gets inputs of checks among the timed ones, too."""

import pytest
from judging import task

from kernelopt.evaluation import Status

TASK = task("torch.clamp(x, max=12.0) * 2.0 + 1.0", "[torch.randn(500, 370)]")
KERNEL = r"""
import torch
from torch import nn
from kernelopt.inline import cpp

lib = cpp(r'''
static long calls = 0;
extern "C" void limited(const float* x, float* y, int64_t n) {
  float most = ++calls > LIMIT ? 1e30f : 12.0f;
  #pragma omp parallel for simd
  for (int64_t i = 0; i < n; ++i) {
    float v = x[i] < most ? x[i] : most;
    y[i] = v * 2.0f + 1.0f;
  }
}
''')

class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.limited(x, y, x.numel())
        return y
"""
"""What its limit cuts, timed inputs do not have."""


@pytest.mark.parametrize(("limit", "status"), [("1L << 60", Status.PASSED), ("24", Status.SUSPECT)])
def test_a_step_that_timed_inputs_do_not_need_is_not_left_out(evaluate, limit, status):
    found = evaluate(KERNEL.replace("LIMIT", limit), task=TASK, static=False)
    assert found.status is status, found.reason
    assert status is Status.PASSED or "right when checked, wrong when timed" in found.reason
