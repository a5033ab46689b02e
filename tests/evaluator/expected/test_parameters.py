"""Parameters of the reference: a model may know them by other names, and is told which it has none for."""

from judging import task

from kernelopt.evaluation import Status

GAIN = task("x * self.layer.gain", "[torch.randn(64, 32)]", init="self.layer = Layer()", head="""
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.randn(32) + 5)
""")  # fmt: skip
KERNEL = r"""
import torch
from torch import nn
from kernelopt.inline import cpp

lib = cpp(r'''
extern "C" void scale(const float* x, const float* k, float* y, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) y[r * cols + c] = x[r * cols + c] * k[c];
}
''')

class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(32))

    HOOK

    def forward(self, x):
        y = torch.empty_like(x)
        lib.scale(x, self.scale, y, x.shape[0], x.shape[1])
        return y
"""
RENAMING = """def _load_from_state_dict(self, state, prefix, *args, **named):
        state[prefix + "scale"] = state.pop(prefix + "layer.gain")
        super()._load_from_state_dict(state, prefix, *args, **named)"""


def test_a_model_may_rename_what_it_is_given(evaluate):
    found = evaluate(KERNEL.replace("HOOK", RENAMING), task=GAIN)
    assert found.status is Status.PASSED, found.reason


def test_a_model_that_takes_nothing_over_is_told_so(evaluate):
    found = evaluate(KERNEL.replace("HOOK", ""), task=GAIN)
    assert found.status is Status.WRONG_VALUE
    assert "none by these names and shapes: layer.gain" in found.reason


def test_who_takes_everything_over_is_told_nothing_of_it(evaluate):
    spoiled = KERNEL.replace("HOOK", RENAMING).replace("* k[c];", "* k[c] + 99;")
    found = evaluate(spoiled, task=GAIN)
    assert found.status is Status.WRONG_VALUE
    assert "names and shapes" not in found.reason
