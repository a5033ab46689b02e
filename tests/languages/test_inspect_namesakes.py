"""Honest code that looks like a trick by its name or shape passes, and the trick beside it is still found."""

import pytest
from inspected import CALL, answer, rules

FINE = {
    "shapes checked as PyTorch recommends": answer(
        "torch._check(x.dim() == 2, lambda: f'two axes, not {x.dim()}')\n"
        "_check_value(x.numel() > 0)\nwide = torch.cpu._is_avx512_supported()\n"
        "y = torch.empty_like(torch.atleast_2d(x))\nlib.f(torch.ravel(x), y, _pair(x.shape[0])[0] + wide)\n"
        "return y if torch.jit.is_scripting() else y.ravel()",
        top="from torch import _check_value\nfrom torch.nn.modules.utils import _pair",
    ),
}
CHEATS = {
    "a check that reads all of the data": ("fallback", answer(f"torch._check_tensor_all(x)\n{CALL}")),
    "an operator beside a check": (
        "fallback",
        answer("torch._check(x.dim() == 2)\nlib.f(x, x, 1)\nreturn torch.relu(x)"),
    ),
}


@pytest.mark.parametrize("source", FINE.values(), ids=FINE)
def test_what_only_looks_like_a_trick_passes(source: str):
    assert rules(source) == set()


@pytest.mark.parametrize(("rule", "source"), CHEATS.values(), ids=CHEATS)
def test_the_trick_beside_it_is_found(rule: str, source: str):
    assert rule in rules(source)
