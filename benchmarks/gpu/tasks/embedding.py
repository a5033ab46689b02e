"""Rows of a table, picked by token number."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("layout",)
SIZES = {
    "cpu": {"SENTENCES": 9, "LENGTH": 301, "VOCABULARY": 5003, "DIM": 250},
    "gpu": {"SENTENCES": 64, "LENGTH": 2048, "VOCABULARY": 50257, "DIM": 1022},
}
SENTENCES = 9
LENGTH = 301
VOCABULARY = 5003
DIM = 250


class Model(nn.Module):
    def __init__(self, vocabulary: int, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vocabulary, dim))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return F.embedding(tokens, self.weight)


def get_inputs():
    return [torch.randint(0, VOCABULARY, (SENTENCES, LENGTH))]


def get_init_inputs():
    return [VOCABULARY, DIM]
