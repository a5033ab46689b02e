"""Kullback-Leibler divergence of each row, both distributions given by their logits."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("loss", "softmax")
SIZES = {
    "cpu": {"ROWS": 3000, "CLASSES": 350},
    "gpu": {"ROWS": 65536, "CLASSES": 1001},
}
ROWS = 3000
CLASSES = 350


class Model(nn.Module):
    def forward(self, logits: torch.Tensor, target_logits: torch.Tensor) -> torch.Tensor:
        log_prediction = F.log_softmax(logits, dim=1)
        target = F.softmax(target_logits, dim=1)
        return F.kl_div(log_prediction, target, reduction="none").sum(dim=1)


def get_inputs():
    return [torch.randn(ROWS, CLASSES) * 1.5, torch.randn(ROWS, CLASSES) * 1.5]


def get_init_inputs():
    return []
