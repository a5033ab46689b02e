"""Mean cross entropy of class scores against class numbers."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("loss", "softmax")
SIZES = {
    "cpu": {"BATCH": 10000, "CLASSES": 501},
    "gpu": {"BATCH": 65536, "CLASSES": 4001},
}
BATCH = 10000
CLASSES = 501


class Model(nn.Module):
    def forward(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(scores, labels)


def get_inputs():
    # How sure the right answers are is drawn too: a mean over so many rows hardly varies else.
    scores, labels = torch.randn(BATCH, CLASSES), torch.randint(0, CLASSES, (BATCH,))
    scores[torch.arange(BATCH), labels] += 1.0 + 6.0 * torch.rand(1)
    return [scores * 1.5, labels]


def get_init_inputs():
    return []
