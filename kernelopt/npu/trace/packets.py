"""Bytes ↔ commands, and the words in which they travel.

First byte of each packet, most significant bit first:

    0eeecccc                             one event e, c idle cycles (4 bits)
    100eeecc cccccccc                    the same, 10 bits of cycles; 101eeecc with two more bytes, 18 bits
    1100eeee eeeecccc                    a mask of events, 4 bits of cycles
    110100ee eeeeeecc cccccccc           10 bits; 110101ee ... with one byte more, 18 bits
    110110rr rrrrrrrr, 1110rrrr          the frame before again r times
    11110000, 11110100                   start, with seven bytes of timer
    110111xx, 11111110, 11111111         padding of four bytes, padding of one, overflow of the cycle counter

Words travel in packets of eight: a header (odd parity; row, column, kind of tile, id) and seven of payload.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kernelopt.npu.trace import Command

FILLER_WORD = 0xA5A5A5A5
WORDS = 8
"""Words a packet, its header among them."""
PAD = 0xFE
SYNC = 0xFF
MOST_REPEATS = 1023
MOST_CYCLES = (1 << 18) - 1
CORE = 0
"""Kind of tile in a header: 0 core, 1 its memory, 2 shim, 3 memory tile."""


def decode(data: bytes) -> list[Command]:
    """Every whole packet; a truncated last one is left out, and so is padding."""
    found, place = [], 0
    while place < len(data):
        command, size = _one(data, place)
        if place + size > len(data):
            break
        if command is not None:
            found.append(command)
        place += size
    return found


def _one(data: bytes, place: int) -> tuple[Command | None, int]:  # noqa: PLR0911 - one a kind
    """The packet that starts here and its length in bytes."""
    first = data[place]
    more = int.from_bytes(data[place + 1 : place + 4].ljust(3, b"\0"), "big")
    if first < 0x80:
        return _events({first >> 4 & 7}, first & 15), 1
    if first < 0xA0:
        return _events({first >> 2 & 7}, (first & 3) << 8 | more >> 16), 2
    if first < 0xC0:
        return _events({first >> 2 & 7}, (first & 3) << 16 | more >> 8), 3
    if first < 0xD0:
        return _events(_mask((first & 15) << 4 | more >> 20), more >> 16 & 15), 2
    if first < 0xD4:
        return _events(_mask((first & 3) << 6 | more >> 18), more >> 8 & 0x3FF), 3
    if first < 0xD8:
        return _events(_mask((first & 3) << 6 | more >> 18), more & 0x3FFFF), 4
    if first < 0xDC:
        return Command("repeat", repeats=(first & 3) << 8 | more >> 16), 2
    if first < 0xE0:
        return None, 4
    if first < 0xF0:
        return Command("repeat", repeats=first & 15), 1
    if first & 0xFB == 0xF0:
        return Command("start", cycles=int.from_bytes(data[place + 1 : place + 8], "big")), 8
    return (Command("sync") if first == SYNC else None), 1


def _events(events: set[int], cycles: int) -> Command:
    return Command("events", frozenset(events), cycles)


def _mask(bits: int) -> set[int]:
    return {event for event in range(8) if bits >> event & 1}


def encode(commands: Sequence[Command]) -> bytes:
    """The shortest packets for these commands."""
    return b"".join(_bytes(command) for command in commands)


def _bytes(command: Command) -> bytes:  # noqa: PLR0911 - one a kind
    if command.kind == "start":
        return bytes([0xF0]) + command.cycles.to_bytes(7, "big")
    if command.kind == "sync":
        return bytes([SYNC])
    if command.kind == "repeat":
        few = command.repeats < 16
        return bytes([0xE0 | command.repeats]) if few else (0xD800 | command.repeats).to_bytes(2, "big")
    cycles = command.cycles
    if len(command.events) == 1:
        event = next(iter(command.events))
        if cycles < 1 << 4:
            return bytes([event << 4 | cycles])
        if cycles < 1 << 10:
            return (0x8000 | event << 10 | cycles).to_bytes(2, "big")
        return (0xA00000 | event << 18 | cycles).to_bytes(3, "big")
    mask = sum(1 << event for event in command.events)
    if cycles < 1 << 4:
        return (0xC000 | mask << 4 | cycles).to_bytes(2, "big")
    if cycles < 1 << 10:
        return (0xD00000 | mask << 10 | cycles).to_bytes(3, "big")
    return (0xD4000000 | mask << 18 | cycles).to_bytes(4, "big")


def frames_to_commands(frames: Sequence[tuple[int, frozenset[int]]]) -> Iterator[Command]:
    """What a trace unit sends for frames (cycle, active events) in rising order of cycles."""
    before = -1
    last: tuple[frozenset[int], int] | None = None
    repeats = 0
    for cycle, events in frames:
        idle = cycle - before - 1
        before = cycle
        if (events, idle) == last and repeats < MOST_REPEATS:
            repeats += 1
            continue
        if repeats:
            yield Command("repeat", repeats=repeats)
        repeats = 0
        if (events, idle) == last:
            repeats = 1
            continue
        while idle > MOST_CYCLES:
            yield Command("sync")
            idle -= MOST_CYCLES
        yield Command("events", events, idle)
        last = (events, idle)
    if repeats:
        yield Command("repeat", repeats=repeats)


def to_words(data: bytes, row: int, column: int, kind: int = CORE, ident: int = 1) -> list[int]:
    """Packets of eight words around a stream of bytes, padded."""
    payload = data + bytes([PAD]) * (-len(data) % (4 * (WORDS - 1)))
    words = [int.from_bytes(payload[i : i + 4], "big") for i in range(0, len(payload), 4)]
    header = ident | kind << 12 | row << 16 | column << 21
    header |= (1 - header.bit_count() % 2) << 31
    return [
        word for i in range(0, len(words), WORDS - 1) for word in (header, *words[i : i + WORDS - 1])
    ]  # fmt: skip


def from_words(words: Sequence[int], kind: int = CORE) -> dict[tuple[int, int], bytes]:
    """(Row, column) to the bytes of that tile; ends at the first packet of zeros, which nobody wrote."""
    found: dict[tuple[int, int], bytearray] = {}
    place: tuple[int, int] | None = None
    for i in range(0, len(words) - WORDS + 1, WORDS):
        header, *payload = words[i : i + WORDS]
        if not any((header, *payload)):
            break
        if _valid(header):
            place = (header >> 16 & 0x1F, header >> 21 & 0x7F) if header >> 12 & 3 == kind else None
        if place is not None:
            data = b"".join(word.to_bytes(4, "big") for word in payload if word != FILLER_WORD)
            found.setdefault(place, bytearray()).extend(data)
    return {tile: bytes(data) for tile, data in found.items()}


def _valid(header: int) -> bool:
    unused = header >> 5 & 0x7F | header >> 19 & 1 | header >> 28 & 7
    return header.bit_count() % 2 == 1 and not unused


def read_text(text: str) -> list[int]:
    """Words of a trace file: one hexadecimal number a line. A line that is none ends it."""
    found = []
    for line in text.split():
        try:
            found.append(int(line, 16) & 0xFFFFFFFF)
        except ValueError:
            break
    return found
