"""Parameters that are made and never read are named; read in any way, they are not."""

import pytest

from kernelopt.languages._inspect import inspect

ANSWER = '''
import torch
from torch import nn
from kernelopt.inline import cpp

lib = cpp("""extern "C" void relu(const float* x, const float* g, float* y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] > 0 ? x[i] : 0; }""")

class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        MADE

    def forward(self, x):
        y = torch.empty_like(x)
        lib.relu(x, READ, y, x.numel())
        return y
'''


def rules(made, read):
    return [found.rule for found in inspect(ANSWER.replace("MADE", made).replace("READ", read))]


@pytest.mark.parametrize(
    "made",
    [
        "self.gamma = nn.Parameter(torch.zeros(dim))",
        "self.gamma = nn.LayerNorm(dim)",
        "self.gamma = torch.nn.Linear(dim, dim, bias=False)",
        "self.gamma = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())",
    ],
)
def test_parameters_that_nothing_reads_are_named(made):
    assert "weights" in rules(made, "x")
    assert "weights" not in rules(made, "self.gamma")


@pytest.mark.parametrize(
    "made", ["self.act = nn.ReLU()", "self.n = nn.LayerNorm(dim, elementwise_affine=False)"]
)
def test_modules_without_parameters_may_stay_unread(made):
    assert "weights" not in rules(made, "x")


@pytest.mark.parametrize(
    "read", ["next(self.parameters())", "getattr(self, 'gam' + 'ma')", "self.state_dict()['g']"]
)
def test_nothing_is_said_where_parameters_are_reached_in_another_way(read):
    assert "weights" not in rules("self.gamma = nn.Parameter(torch.zeros(dim))", read)
