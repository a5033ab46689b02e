"""What a cubin says of its kernels besides their code: the block sizes they were compiled for.

A cubin is an ELF file. Section ``.nv.info.KERNEL`` is a list of attributes; their numbers are not
documented by NVIDIA, but stand in clear beside the values in what ``cuobjdump -elf`` prints.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

_PREFIX = ".nv.info."
_MAX_THREADS, _EXACT_THREADS = 0x05, 0x10
"""EIATTR_MAX_THREADS (``__launch_bounds__``) and EIATTR_REQNTID: three numbers of 32 bits each."""
_WITH_PAYLOAD = 0x04
"""EIFMT_SVAL: the last two bytes are the length of what follows; other attributes are 4 bytes long."""
_NAME_BYTES, _MOST_BYTES = 2000, 4096
"""Of a section's name, and of the attributes of one kernel, that are read."""


def block_threads(cubin: bytes) -> dict[str, int]:
    """Mangled names to the threads of a block that the kernel was compiled for, at most or exactly.

    Kernels that say nothing are left out. Bytes that are no cubin give an empty table: nobody vouches
    for what a compiler made of a candidate's text.
    """
    try:
        return {
            name[len(_PREFIX) :]: threads
            for name, content in _sections(cubin)
            if name.startswith(_PREFIX) and (threads := _threads(content))
        }
    except (struct.error, IndexError, ValueError):
        return {}


def _sections(elf: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents, by the section header table of a 64-bit little-endian ELF file."""
    if elf[:6] != b"\x7fELF\x02\x01":
        return
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    heads = [struct.unpack_from("<I20xQQ", elf, table + i * size) for i in range(count)]
    _, start, length = heads[names]
    strings = elf[start : start + length]
    for offset, start, length in heads:
        name = strings[offset : offset + _NAME_BYTES].partition(b"\0")[0]
        yield name.decode(errors="replace"), elf[start : start + min(length, _MOST_BYTES)]


def _threads(content: bytes) -> int:
    at = 0
    while at + 4 <= len(content):
        form, attribute, length = struct.unpack_from("<BBH", content, at)
        if form != _WITH_PAYLOAD:
            length = 0
        elif attribute in (_MAX_THREADS, _EXACT_THREADS):
            return math.prod(struct.unpack_from("<III", content, at + 4))
        at += 4 + length
    return 0
