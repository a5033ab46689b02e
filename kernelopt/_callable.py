"""Packages that are named like a function of the API can be called as that function."""

from __future__ import annotations

import sys
import types
from typing import Any


class _Callable(types.ModuleType):
    """A module whose call is `kernelopt.api`'s function of its name."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        from kernelopt import api  # noqa: PLC0415 - the API imports much

        return getattr(api, self.__name__.rpartition(".")[2])(*args, **named)


def callable_as_api(module: str) -> None:
    """Let the loaded module of that name be called: ``kernelopt.search`` is a package and a function.

    Importing a package sets it as an attribute of its parent, over whatever function was there.
    """
    sys.modules[module].__class__ = _Callable
