"""How far rounding alone may move a result: the reference, run once more with every operator shaken.

An operator of an honest kernel gives a slightly perturbed output for slightly perturbed inputs: it is
mixed forward-backward stable (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section
1.5). Its author did not choose which way each rounding goes. So each floating-point input and output
of each operator is multiplied by 1 ± eps, with random signs (Monte Carlo arithmetic: Parker, 1997).
How far the result moves, measured against fp64, is the error of one such honest implementation. In
contrast to the error of PyTorch's own result it is never zero by luck: constant rows, whose mean
happens to be exact, still show how a normalisation would amplify an ulp. Whole numbers that a rounding
made stay whole: a step is taken or not, and nothing lies between.
"""

from __future__ import annotations

import random
from functools import lru_cache, partial
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from kernelopt.evaluator.data.arena import leaves
from kernelopt.evaluator.data.spread import PIECE, pieces, spread

_SIGNS = 1 << 20
"""Random signs drawn once and used again from random places: drawing more would take longer than the
operators."""
_LAST = _SIGNS - PIECE
"""Places from which there are enough for a piece."""
ORDER = 1 / 16
"""A sum moves by this part of ``eps * sum(|x|)`` besides, and the tolerance is 16 times what it moves: n
numbers of random signs, added one after the other, err by about half an eps of that, however small the
sum is."""


JUMPS = {"round", "floor", "ceil", "trunc", "sign", "sgn"}
"""Operators whose results are whole numbers, which no arithmetic puts between two steps."""
PASSING = {
    *("clamp", "clamp_min", "clamp_max", "minimum", "maximum", "relu", "abs", "neg"),
    *("where", "cat", "stack", "gather", "index_select", "clone", "_to_copy"),
}
"""Operators that hand numbers on as they are, or not at all."""


class Shaken(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within it, every operator's floating-point inputs and outputs are off by one unit in the last place."""

    def __init__(self, seed: int):
        super().__init__()  # type: ignore[no-untyped-call]
        self._chance = random.Random(seed)
        self.operators: set[str] = set()
        """Names of the operators that ran, without namespace and overload."""
        self._whole = WeakIdKeyDictionary()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: torch would import its compiler, which takes a second, only to keep away from this."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func._schema.name.partition("::")[2]
        self.operators.add(name)
        whole = name.rstrip("_") in JUMPS or self._are_whole(args)
        if _aliases(func):  # a view or an in-place operator: a copy would not do the same
            return self._noted(func(*args, **(kwargs or {})), whole)
        kwargs = {name: self._off(value) for name, value in (kwargs or {}).items()}
        out = func(*self._off(args), **kwargs)
        out = self._noted(out, whole) if whole and name in JUMPS | PASSING else self._off(out)
        if name in ("sum", "mean") and isinstance(out, torch.Tensor) and out.is_floating_point():
            out += func(args[0].abs(), *args[1:], **kwargs) * (torch.finfo(out.dtype).eps * ORDER)
        return out

    def _noted(self, value: Any, whole: bool) -> Any:
        """The value; what is whole stays so until something is computed with it."""
        for one in leaves([value]) if whole else ():
            self._whole[one] = True
        return value

    def _are_whole(self, args: Any) -> bool:
        """Whether there are floating-point numbers, and all of them are whole."""
        floats = [one for one in leaves([*args]) if one.is_floating_point()]
        return bool(floats) and all(one in self._whole for one in floats)

    def _off(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)([self._off(part) for part in value])
        if not isinstance(value, torch.Tensor) or not value.is_floating_point() or not value.numel():
            return value
        if value in self._whole:
            return value
        made = torch.empty_like(value)
        source = value if value.is_contiguous() else value.contiguous()
        target = made if made.is_contiguous() else torch.empty_like(source)
        self._shake(source.view(-1), target.view(-1))
        return made if target is made else made.copy_(target)

    def _shake(self, source: torch.Tensor, target: torch.Tensor) -> None:
        """In pieces, by threads that wait for nobody: torch's own wait for the last one at each call."""
        factors = _factors(source.dtype)

        def shake(here: slice, first: int) -> None:
            torch.mul(source[here], factors[first : first + here.stop - here.start], out=target[here])

        spread([partial(shake, here, self._chance.randrange(_LAST)) for here in pieces(len(source))])


@lru_cache(maxsize=4)
def _factors(dtype: torch.dtype) -> torch.Tensor:
    """1 + eps or 1 - eps, drawn once; where a kernel's own roundings go has nothing to do with them."""
    chance = torch.Generator().manual_seed(random.SystemRandom().getrandbits(62))
    signs = torch.randint(0, 2, (_SIGNS,), generator=chance) * 2 - 1
    return (1.0 + signs.double() * torch.finfo(dtype).eps).to(dtype)


def _aliases(func: Any) -> bool:
    schema = func._schema
    return any(item.alias_info is not None for item in (*schema.arguments, *schema.returns))
