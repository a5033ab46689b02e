"""The host's half of a CUDA text for `load_inline`: C++ for g++, with PyTorch's headers precompiled.

The counterpart of `_device_half`, which nvcc turns into kernels and what launches them. Here kernels are
declared only, launches are the calls that nvcc makes of them, and each line stays where it is. Whatever is
not understood, or would be there twice, gives None; then nvcc compiles the text as a whole.
"""

from __future__ import annotations

import re

from kernelopt.gpu._device_half import _DEVICE, _TORCH, _bare, _parts, device_half
from kernelopt.inline_cuda import _BOUNDS, _KERNEL_WORDS

HEAD = """#include <torch/extension.h>
#include <cuda_runtime.h>
extern "C" unsigned __cudaPushCallConfiguration(dim3, dim3, size_t = 0, struct CUstream_st* = nullptr);
"""
"""What stands before the text. The function is the CUDA runtime's; nvcc declares it, g++ does not."""

_LAUNCH = re.compile(r"(?<![\w:>.])((?:::)?[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*)\s*<<<")
_FRAME = re.compile(r"\s*(?:(?:inline\s+)?namespace\b(?P<name>[\w\s:]*)\{|extern\s*\"\s*\"\s*\{|\})\s*$")
_TWICE = re.compile(
    r"\b(?:static|inline|constexpr|template|__forceinline__|__host__)\b|^\s*(?:struct|class|union|enum)\b"
)
"""A definition that may stand in both halves."""
_LOCAL = re.compile(r"\b(?:static|inline)\b")
_TYPE = re.compile(
    r"\s*(?:using|typedef|struct|class|union|enum|template|static_assert|extern)\b"
    r"|(?:[\w\s]*\s)?(?:constexpr|const)\s[^*&]*$|(?!\s*static\b)[^=(){}]*\([^{}]*\)[\w\s]*;\s*$|\s*;?\s*$"
)
"""A declaration that holds no state: a type, a constant, a function."""


def host_half(text: str, name: str) -> str | None:
    """`text` for g++, behind `HEAD`; its messages are about the file `name`.

    Returns:
        An empty text where nothing speaks of PyTorch; None where the halves cannot be told apart.
    """
    if device_half(text) is None:
        return None
    parts = _parts(text)
    if not any(_TORCH.search(_bare(part)) and not _is_directive(part) for part in parts):
        return ""
    kept = [_host(part) for part in parts]
    if None in kept:
        return None
    return f'{HEAD}#line 1 "{name}"\n{"".join(part for part in kept if part is not None)}'


def _is_directive(part: str) -> bool:
    return bool(re.match(r"\s*#", _bare(part)))


def _host(part: str) -> str | None:
    """A top-level declaration as the host's half has it, with as many lines; None where that is not known."""
    bare = _bare(part)
    if _is_directive(part):
        return None if "<<<" in bare else part
    frame = _FRAME.match(bare)
    if frame:
        return None if frame["name"] is not None and not frame["name"].strip() else part
    if _DEVICE.search(bare) and "__host__" not in bare:
        return _declared_kernel(part, bare) if "__global__" in bare else _blank(part)
    if _TORCH.search(bare):
        return _launching(part, bare)
    return _shared(part, bare)


def _blank(part: str) -> str:
    return "\n" * part.count("\n")


def _declared_kernel(part: str, bare: str) -> str | None:
    """The kernel's function for the host, which the other half defines."""
    head, body = _cut(part, bare)
    if _LOCAL.search(_bare(head)):
        return None  # the other half keeps it to itself
    return _KERNEL_WORDS.sub("", _BOUNDS.sub(_lines, head)) + ";" + _blank(body)


def _lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _cut(part: str, bare: str) -> tuple[str, str]:
    """Head and body of a function; of a mere declaration, that and its semicolon."""
    at = bare.find("{")
    at = len(bare.rstrip()) - 1 if at < 0 else at
    return part[:at], part[at:]


def _shared(part: str, bare: str) -> str | None:
    """What speaks neither of PyTorch nor of the device: types, constants, inline functions twice."""
    head, body = _cut(part, bare)
    plain = _bare(head)
    if not bare.rstrip().endswith("}"):
        return part if _TYPE.match(bare) and not re.match(r"\s*extern\b(?!\s*\")[^(]*;", bare) else None
    if _TWICE.search(plain):
        return None if re.search(r"\bstatic\b", bare[len(head) :]) else _launching(part, bare)
    if not plain.rstrip().endswith((")", "const", "noexcept")):
        return None
    return head + ";" + _blank(body)


def _launching(part: str, bare: str) -> str | None:
    """`part` with each ``f<<<grid, block>>>(...)`` as the call that it stands for."""
    done, at = "", 0
    for found in _LAUNCH.finditer(bare):
        end = _closing(bare, found.end())
        if end < 0 or found.start() < at:
            return None
        inner = part[found.end() : end]
        called = part[found.start(1) : found.end(1)]
        done += f"{part[at : found.start()]}__cudaPushCallConfiguration({inner}) ? (void)0 : {called}"
        at = end + len(">>>")
    done += part[at:]
    return None if "<<<" in _bare(done) else done


def _closing(bare: str, start: int) -> int:
    """Where the ``>>>`` is that ends a launch's configuration, or -1."""
    depth = 0
    for at in range(start, len(bare)):
        depth += (bare[at] in "([{") - (bare[at] in ")]}")
        if depth < 0 or bare[at] == ";":
            return -1
        if depth == 0 and bare.startswith(">>>", at):
            return at
    return -1
