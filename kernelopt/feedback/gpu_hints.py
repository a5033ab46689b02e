"""What usually mends an error of a GPU compiler, for the mistakes that language models make most.

Each entry is a pattern of the compiler's words and one sentence. Where the compiler already says what to
do there is none. Sources: NVIDIA's CUDA C++ Programming Guide, NVRTC and PTX manuals, Triton's documentation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

MOST: Final = 3

HINTS: Final = (
    (
        # Programming Guide, "Warp Shuffle Functions" and "Warp Vote Functions".
        r'"__(?:shfl|ballot|any|all)\w*" is undefined|without \'\.sync\'',
        "warp functions without `_sync` are gone since compute capability 7.0: write "
        "`__shfl_down_sync(0xffffffff, v, offset)`, `__ballot_sync(0xffffffff, p)`",
    ),
    (
        # Programming Guide, "Shared Memory" of each compute capability: static allocations stop at 48 KiB.
        r"uses too much shared data",
        "static shared memory ends at 48 KiB (0xc000): take a smaller tile, or `extern __shared__` memory "
        "whose size is set at the launch",
    ),
    (
        r"Unresolved extern function|Undefined reference to|undefined reference to",
        "define the device function in the same source, with `__device__`, before it is used",
    ),
    (
        # NVRTC manual, "Compilation": device code only, no headers of the host's compiler.
        r"could not open source file|cannot open source file|No such file or directory",
        "leave out this header: kernels need none for the built-in functions, and only headers of the CUDA "
        "toolkit (such as `cuda_fp16.h`) can be there",
    ),
    (
        r'"(?:FLT_MAX|INFINITY|DBL_MAX|CUDART_INF_F|INT_MAX)" is undefined',
        "no header defines this constant here: write `3.402823466e+38f`, or "
        "`__int_as_float(0x7f800000)` for infinity",
    ),
    (
        r"calling a __host__ function|without execution space annotations",
        "mark functions that kernels call with `__device__`",
    ),
    (
        r'no operator "[-+*/]=?" matches.*(?:float|double|int)[234]\b',
        "vector types such as `float4` have no arithmetic: compute `.x`, `.y`, `.z` and `.w` one by one",
    ),
    (
        # Programming Guide, "Element Types and Matrix Sizes".
        r'incomplete (?:class )?type "nvcuda::wmma::fragment',
        "WMMA knows m16n16k16, m32n8k16 and m8n32k16 for half and bfloat16, and m16n16k8 for "
        "`wmma::precision::tf32`",
    ),
    (
        # PTX manual: wgmma, setmaxnreg and others need the architecture-specific target.
        r"(?:'|\b)(?:wgmma|setmaxnreg|tcgen05)[\w.]*'? .*not supported on \.target|requires? \.target",
        "this instruction exists only on the architecture-specific target (such as sm_90a): use `mma.sync` "
        "or `wmma`, or compile for that target",
    ),
    (
        r"asm operand type size",
        'inline PTX takes pointers and 64-bit integers as `"l"`, 32-bit integers as `"r"`, float as `"f"`, '
        '16-bit values as `"h"`',
    ),
    (
        r"power of 2",
        "round block sizes up with `triton.next_power_of_2(n)` and mask what lies beyond",
    ),
    (
        r"module 'triton\.language[\w.]*' has no attribute",
        "`tl` has no such function: build it from `tl.exp`, `tl.where`, `tl.maximum`, `tl.sum`, or look in "
        "`tl.math` and `tl.extra.cuda.libdevice`",
    ),
    (
        r"arguments must be of type tl\.constexpr",
        "annotate sizes of blocks with `: tl.constexpr` in the signature and pass them by name at the launch",
    ),
    (
        r"unsupported AST node type",
        "a kernel is a small part of Python: no `try`, `lambda`, `yield` or class, no dictionaries; use "
        "`tl.static_range` and helpers with `@triton.jit`",
    ),
    (
        r"Cannot have `return` statements inside",
        "no `return` in loops: guard the rest with `if`, or mask the loads and stores",
    ),
    (
        r"Unsupported function referenced",
        "put `@triton.jit` on every function that a kernel calls",
    ),
    (
        r"Cannot access global variable",
        "pass the value as an argument, or define it as `tl.constexpr(value)`",
    ),
    (
        r"Mask must have boolean",
        "a mask is a comparison, such as `offsets < n`",
    ),
    (
        r"equal reduction dimensions|incompatible dimensions",
        "blocks broadcast like arrays: give both one shape, or a size of 1 with `[:, None]`, `[None, :]`",
    ),
    (
        # triton.language.dot: the inner size must be at least 16 (32 for 8-bit types on some targets).
        r"Input shapes should have M >=",
        "`tl.dot` wants blocks of at least 16 on its inner side: take larger blocks and mask, or multiply "
        "and `tl.sum`",
    ),
    (
        r"Loop-carried variable",
        "start the variable with its final type and shape, such as `tl.zeros((BLOCK,), dtype=tl.float32)`",
    ),
    (
        r"out of resource: shared memory",
        "take smaller blocks or fewer `num_stages`: each stage keeps a copy of the tiles in shared memory",
    ),
    (
        r"exceeds triton maximum tensor numel",
        "loop over smaller blocks instead of one that holds all",
    ),
    (
        r"must be real number, not tensor|__setitem__ is not supported",
        "inside a kernel use `tl.` functions on whole blocks: Python's `math` and single elements do "
        "not work; choose elements with `tl.where`",
    ),
)
"""Pattern of a message, and the sentence."""


def hints(messages: Sequence[str], most: int = MOST) -> list[str]:
    """Sentences that fit the messages, in their order, each once, at most so many."""
    found = (
        sentence for message in messages for pattern, sentence in HINTS if re.search(pattern, message[:1000])
    )
    return list(dict.fromkeys(found))[:most]
