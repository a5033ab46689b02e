"""A linear layer with ReLU, three quarters of whose outputs a very negative bias keeps at zero."""

import torch
from torch import nn

INPUTS, OUTPUTS = 200, 300


class Model(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / inputs**0.5)
        self.bias = nn.Parameter(torch.where(torch.rand(outputs) < 0.75, -20.0, 0.1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x @ self.weight.T + self.bias)


def get_inputs():
    return [torch.randn(3000, INPUTS)]


def get_init_inputs():
    return [INPUTS, OUTPUTS]
