"""One step of a gated recurrent unit: input and hidden state to the next hidden state."""

import torch
from torch import nn

TAGS = ("mlp", "matmul", "elementwise")
SIZES = {
    "cpu": {"BATCH": 500, "IN_FEATURES": 150, "HIDDEN": 331},
    "gpu": {"BATCH": 32768, "IN_FEATURES": 1024, "HIDDEN": 2047},
}
BATCH = 500
IN_FEATURES = 150
HIDDEN = 331


class Model(nn.Module):
    def __init__(self, in_features: int, hidden: int):
        super().__init__()
        self.from_input = nn.Linear(in_features, 3 * hidden)
        self.from_state = nn.Linear(hidden, 3 * hidden)

    def forward(self, x: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        reset_x, update_x, new_x = self.from_input(x).chunk(3, dim=1)
        reset_h, update_h, new_h = self.from_state(state).chunk(3, dim=1)
        reset = torch.sigmoid(reset_x + reset_h)
        update = torch.sigmoid(update_x + update_h)
        new = torch.tanh(new_x + reset * new_h)
        return (1.0 - update) * new + update * state


def get_inputs():
    return [torch.randn(BATCH, IN_FEATURES) * 2.0, torch.randn(BATCH, HIDDEN)]


def get_init_inputs():
    return [IN_FEATURES, HIDDEN]
