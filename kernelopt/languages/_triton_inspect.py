"""Static look at an answer in Triton: what every language forbids, and that the kernel is Triton's."""

from __future__ import annotations

from kernelopt._syntax import parse
from kernelopt.kernel import Kernel
from kernelopt.languages import Finding
from kernelopt.languages._inspect import MOST_CHARACTERS, inspect_kernel
from kernelopt.languages._names import Names

_NO_KERNEL = "there is no @triton.jit function; write the work as one, and launch it from ModelNew.forward"


def inspect_triton(kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
    """Findings about an answer. Never raises."""
    found = inspect_kernel(kernel, allow_libraries=allow_libraries)
    names = _names(kernel.files.get(kernel.entry, ""))
    if names is None or names.jitted:
        return found
    others = [each for each in found if each.rule not in ("no-kernel", "never-called")]
    return [Finding("no-kernel", _NO_KERNEL), *others]


def _names(source: str) -> Names | None:
    """What names stand for; None for text that is not read, because it does not parse or is too long."""
    if len(source) > MOST_CHARACTERS:
        return None
    try:
        return Names(parse(source))
    except (SyntaxError, RecursionError):  # what can be read may still be too deep to be walked
        return None
