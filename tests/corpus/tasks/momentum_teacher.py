"""A student and its teacher, which begins as a copy."""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, k, n):
        super().__init__()
        self.student = nn.Linear(k, n)
        self.teacher = nn.Linear(k, n)
        self.teacher.load_state_dict(self.student.state_dict())

    def forward(self, x):
        return torch.cat([F.gelu(self.student(x)), F.gelu(self.teacher(x))], dim=1)


def get_inputs():
    return [torch.randn(2000, 64)]


def get_init_inputs():
    return [64, 512]
