"""A small reader of ELF files: what a shared object imports, needs, exports and runs when it is loaded.

64-bit little-endian only; everything is bounds-checked, because the file is made of text by somebody hostile.
Layouts and constants are those of <elf.h>.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MOST_SYMBOLS = 200_000
MOST_CONSTRUCTORS = 10_000
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELATIVE = struct.Struct("<QQq")
_LOAD, _DYNAMIC = 1, 2
_SYMTAB, _DYNSYM, _RELA, _VERSYM = 2, 11, 4, 0x6FFFFFFF
_NEEDED, _SONAME, _RPATH, _RUNPATH = 1, 14, 15, 29
_INIT_ARRAY, _INIT_ARRAY_SIZE = 25, 27
_AUDITING = {
    0x7FFFFEFB: "DT_DEPAUDIT",
    0x6FFFFEFC: "DT_AUDIT",
    0x7FFFFFFD: "DT_AUXILIARY",
    0x7FFFFFFF: "DT_FILTER",
}
_WEAK, _IFUNC = 2, 10
_CUDA = 190  # EM_CUDA


class NotElf(ValueError):
    """The file is no 64-bit little-endian ELF file, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One name of the dynamic symbol table."""

    name: str
    weak: bool = False
    versioned: bool = False
    """Bound to a version of a system library, such as GLIBC_2.17; PyTorch's and MKL's names have none."""


@dataclass(frozen=True, slots=True)
class SharedObject:
    """What concerns us of one file."""

    imports: list[Symbol] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)
    """Libraries that are loaded with it."""
    odd_entries: list[str] = field(default_factory=list)
    """Entries of the dynamic section that a compiler does not make by itself."""
    constructors: list[str] = field(default_factory=list)
    """Names of what runs when it is loaded; empty where the file does not tell."""


def read(data: bytes) -> SharedObject:
    """Read a shared object.

    Raises:
        NotElf: it is none, or its tables lie outside of the file.
    """
    try:
        return _File(data).shared_object()
    except (struct.error, IndexError, OverflowError) as error:
        raise NotElf(f"the file is damaged: {error}") from error


def undefined(data: bytes) -> list[str]:
    """Names that an object file (``.o``) needs from elsewhere.

    Raises:
        NotElf: it is none, or its tables lie outside of the file.
    """
    try:
        return _File(data).undefined()
    except (struct.error, IndexError, OverflowError) as error:
        raise NotElf(f"the file is damaged: {error}") from error


def exported(data: bytes) -> list[str]:
    """Names that an object file defines for others: global and weak ones.

    Raises:
        NotElf: it is none, or its tables lie outside of the file.
    """
    try:
        return _File(data).exported()
    except (struct.error, IndexError, OverflowError) as error:
        raise NotElf(f"the file is damaged: {error}") from error


def is_machine_code(path: Path) -> bool:
    """Whether a file holds code of an NVIDIA GPU, which no process of the host can load as a library."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
        return head[:4] == b"\x7fELF" and bool(_HEADER.unpack(head)[2] == _CUDA)
    except (OSError, struct.error):
        return False


@dataclass(frozen=True, slots=True)
class _Section:
    kind: int
    address: int
    offset: int
    size: int
    link: int


class _File:
    def __init__(self, data: bytes):
        self._data = data
        if len(data) < _HEADER.size or data[:6] != b"\x7fELF\x02\x01":
            raise NotElf("the file is no 64-bit little-endian ELF file")
        header = _HEADER.unpack_from(data)
        self._segments = [*self._table(_SEGMENT, header[5], header[10])]
        self._sections = [
            _Section(row[1], row[3], row[4], row[5], row[6])
            for row in self._table(_SECTION, header[6], header[12])
        ]

    def _table(self, layout: struct.Struct, offset: int, count: int) -> Iterator[tuple[int, ...]]:
        whole = self._slice(offset, count * layout.size)
        return layout.iter_unpack(whole)

    def _slice(self, offset: int, size: int) -> bytes:
        if offset < 0 or size < 0 or offset + size > len(self._data):
            raise NotElf("the file is damaged: a table lies outside of it")
        return self._data[offset : offset + size]

    def shared_object(self) -> SharedObject:
        """Everything at once."""
        dynamic = [*self._dynamic()]
        names = self._names_of_dynamic(dynamic)
        found = SharedObject(imports=[*self._imports()], constructors=[*self._constructors(dict(dynamic))])
        for tag, value in dynamic:
            if tag == _NEEDED:
                found.needed.append(_string(names, value))
            elif tag in (_RPATH, _RUNPATH) or tag in _AUDITING:
                found.odd_entries.append(f"{_AUDITING.get(tag, 'DT_RUNPATH')} {_string(names, value)}")
        return found

    # Dynamic section

    def _dynamic(self) -> Iterator[tuple[int, int]]:
        for kind, _, offset, _, _, size, _, _ in self._segments:
            if kind == _DYNAMIC:
                for tag, value in struct.iter_unpack("<qQ", self._slice(offset, size - size % 16)):
                    if tag == 0:
                        return
                    yield tag, value

    def _names_of_dynamic(self, dynamic: list[tuple[int, int]]) -> bytes:
        table = dict(dynamic)
        return self._slice(self._place(table.get(5, 0)), table.get(10, 0)) if 5 in table else b""

    def _place(self, address: int) -> int:
        """Where in the file an address of memory comes from."""
        for kind, _, offset, start, _, size, _, _ in self._segments:
            if kind == _LOAD and start <= address < start + size:
                return offset + address - start
        raise NotElf("the file is damaged: an address lies in no segment")

    # Symbols

    def _imports(self) -> Iterator[Symbol]:
        for section in self._sections:
            if section.kind != _DYNSYM:
                continue
            names = self._linked(section)
            versions = self._versions()
            for index, (name, info, _, where, _, _) in enumerate(self._symbols(section)):
                if where == 0 and name:
                    version = versions[index] & 0x7FFF if index < len(versions) else 0
                    yield Symbol(_string(names, name), info >> 4 == _WEAK, version > 1)

    def undefined(self) -> list[str]:
        """Names in the symbol table that no section of the file holds."""
        return [name for name, where, _ in self._named() if where == 0]

    def exported(self) -> list[str]:
        """Names in the symbol table that other files can mean."""
        return [name for name, where, binding in self._named() if where and binding != 0]

    def _named(self) -> Iterator[tuple[str, int, int]]:
        """Name, section and binding of every symbol that has a name."""
        for section in self._sections:
            if section.kind == _SYMTAB:
                names = self._linked(section)
                for name, info, _, where, _, _ in self._symbols(section):
                    if name:
                        yield _string(names, name), where, info >> 4

    def _symbols(self, section: _Section) -> Iterator[tuple[int, ...]]:
        if section.size > MOST_SYMBOLS * _SYMBOL.size:
            # What comes last, behind those that are read, may be what counts.
            raise NotElf(f"there are more than {MOST_SYMBOLS:,} symbols")
        return _SYMBOL.iter_unpack(self._slice(section.offset, section.size - section.size % _SYMBOL.size))

    def _linked(self, section: _Section) -> bytes:
        strings = self._sections[section.link]
        return self._slice(strings.offset, strings.size)

    def _versions(self) -> tuple[int, ...]:
        for section in self._sections:
            if section.kind == _VERSYM:
                whole = self._slice(section.offset, section.size - section.size % 2)
                return struct.unpack(f"<{len(whole) // 2}H", whole)
        return ()

    # Constructors

    def _constructors(self, dynamic: dict[int, int]) -> Iterator[str]:
        """Names of the functions in ``.init_array``, from the relocations that fill it."""
        start, size = dynamic.get(_INIT_ARRAY, 0), dynamic.get(_INIT_ARRAY_SIZE, 0)
        if not size:
            return
        targets = [
            addend
            for section in self._sections
            if section.kind == _RELA
            for place, _, addend in self._relocations(section)
            if start <= place < start + size
        ]
        names = self._names_by_address(set(targets))
        yield from (names.get(target, "") for target in targets[:MOST_CONSTRUCTORS])

    def _relocations(self, section: _Section) -> Iterator[tuple[int, ...]]:
        return _RELATIVE.iter_unpack(
            self._slice(section.offset, section.size - section.size % _RELATIVE.size)
        )

    def _names_by_address(self, wanted: set[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        for section in self._sections:
            if section.kind == _SYMTAB:
                names = self._linked(section)
                for name, info, _, _, value, _ in self._symbols(section):
                    if value in wanted and info & 15 in (2, _IFUNC):
                        found[value] = _string(names, name)
        return found


def _string(names: bytes, offset: int) -> str:
    """The zero-terminated string at an offset of a string table."""
    if not 0 <= offset < len(names):
        raise NotElf("the file is damaged: a name lies outside of its table")
    end = names.find(b"\0", offset)
    return names[offset : end if end >= 0 else None].decode("utf-8", "replace")
