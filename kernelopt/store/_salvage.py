"""Read journal records out of a database file that SQLite itself refuses.

SQLite keeps a table's rows on "leaf" pages. This walks every page of the file and of its write-ahead
log, takes whatever looks like a row of six columns, and keeps those whose own checksum holds: that
checksum, not the shape of the file around it, is what makes a record trustworthy. Layout facts are from
https://www.sqlite.org/fileformat2.html (sections 1.6, 2.1 and 4.1).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kernelopt.store._record import Record

PAGE_BYTES = 4096  # the journal sets it when it creates the file, so no header is needed to know it
_TABLE_LEAF = 0x0D
_WAL_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Pages = dict[int, bytes]  # page number, from 1, to its content


class Salvaged(NamedTuple):
    """What could be read."""

    records: list[Record]
    """Intact records by ascending `seq`."""
    broken: list[Record]
    """Rows whose checksum fails and of which no intact copy exists."""


def salvage(path: Path) -> Salvaged:
    """Every record that can still be read from the database file `path` and its ``-wal`` file."""
    written = _split(path.read_bytes())
    logged = _logged(path.with_name(path.name + "-wal"))
    merged = {**written, **logged}
    rows = [row for pages in (logged, written) for page in pages.items() for row in _rows(page, merged)]
    intact = {row.seq: row for row in rows if row.intact}
    broken = {row.seq: row for row in rows if row.seq not in intact}
    return Salvaged([intact[seq] for seq in sorted(intact)], [broken[seq] for seq in sorted(broken)])


def _split(content: bytes) -> Pages:
    starts = range(0, len(content) - PAGE_BYTES + 1, PAGE_BYTES)
    return {start // PAGE_BYTES + 1: content[start : start + PAGE_BYTES] for start in starts}


def _logged(path: Path) -> Pages:
    """Pages of the write-ahead log; later frames win, frames of an older log are left out."""
    content = path.read_bytes() if path.is_file() else b""
    pages: Pages = {}
    size = _FRAME_HEADER_BYTES + PAGE_BYTES
    for start in range(_WAL_HEADER_BYTES, len(content) - size + 1, size):
        if content[start + 8 : start + 16] == content[16:24]:
            number = int.from_bytes(content[start : start + 4], "big")
            pages[number] = content[start + _FRAME_HEADER_BYTES : start + size]
    return pages


def _rows(numbered: tuple[int, bytes], pages: Pages) -> Iterator[Record]:
    number, page = numbered
    start = 100 if number == 1 else 0
    if page[start] != _TABLE_LEAF:
        return
    cells = int.from_bytes(page[start + 3 : start + 5], "big")
    for index in range(min(cells, PAGE_BYTES // 4)):
        at = start + 8 + 2 * index
        pointer = int.from_bytes(page[at : at + 2], "big")
        try:
            row = _row(page, pointer, pages)
        except (IndexError, KeyError, ValueError, struct.error):
            continue  # the cell's own layout is damaged: there is nothing to read
        if row:
            yield row


def _row(page: bytes, pointer: int, pages: Pages) -> Record | None:
    length, at = _varint(page, pointer)
    seq, at = _varint(page, at)
    values = _values(_payload(page, at, length, pages))
    if len(values) != len(Record._fields):
        return None
    _, kind, key, data, at_us, crc = values
    if isinstance(kind, str) and isinstance(key, str) and isinstance(data, str):
        return Record(seq, kind, key, data, int(at_us or 0), int(crc or 0))
    return None


def _payload(page: bytes, at: int, length: int, pages: Pages) -> bytes:
    """A row's bytes: the part on its own page, then the chain of overflow pages."""
    local = _local_bytes(length)
    content = bytearray(page[at : at + local])
    following = int.from_bytes(page[at + local : at + local + 4], "big") if local < length else 0
    for _ in range(len(pages)):  # a damaged chain may run in circles
        if len(content) >= length:
            break
        overflow = pages[following]
        following = int.from_bytes(overflow[:4], "big")
        content += overflow[4:]
    return bytes(content[:length])


def _local_bytes(length: int) -> int:
    """How much of a row of `length` bytes stays on its leaf page."""
    most, least = PAGE_BYTES - 35, (PAGE_BYTES - 12) * 32 // 255 - 23
    if length <= most:
        return length
    kept = least + (length - least) % (PAGE_BYTES - 4)
    return kept if kept <= most else least


def _values(record: bytes) -> list[str | int | None]:
    end, at = _varint(record, 0)
    kinds = []
    while at < end:
        kind, at = _varint(record, at)
        kinds.append(kind)
    values: list[str | int | None] = []
    for kind in kinds:
        value, at = _value(record, at, kind)
        values.append(value)
    return values


def _value(record: bytes, at: int, kind: int) -> tuple[str | int | None, int]:
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind], at
    if kind in _INTEGER_BYTES:
        end = at + _INTEGER_BYTES[kind]
        return int.from_bytes(record[at:end], "big", signed=True), end
    if kind < 13 or kind % 2 == 0:
        raise ValueError("neither an integer nor text: not a row of ours")
    end = at + (kind - 13) // 2
    return record[at:end].decode("utf-8", "replace"), end


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """SQLite's variable-length integer (row numbers and lengths here are never negative)."""
    value = 0
    for index in range(8):
        byte = content[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | content[at + 8], at + 9
