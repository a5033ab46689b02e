"""Commands → intervals of events, as two decoders of mlir-aie see them, and the cycles of a score.

``later``: a Repeat packet stands for all its frames. This is what happened on the core.
``pinned``: what the version that NPUEval pins (May 2025) does, and so how the published figures were made. A
Repeat of back-to-back frames is counted in full; of frames with idle cycles between them it is taken once,
one cycle short, and the pulse before it gets no length. Equally spaced vector instructions are thus
under-counted, and so is the time that they took.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kernelopt.npu.trace import Command, Interval, Measured
from kernelopt.npu.trace.packets import MOST_CYCLES, frames_to_commands

EVENT_0, EVENT_1, VECTOR = 0, 1, 2
DECODERS = ("later", "pinned")


class _Decoder:
    """Follows the stream: which events are active since when."""

    def __init__(self) -> None:
        self.time = -1
        self.active: dict[int, int] = {}
        self.found: list[Interval] = []

    def end(self, events: Iterable[int], time: int) -> None:
        for event in list(events):
            self.found.append(Interval(event, self.active.pop(event), time))

    def frame(self, events: frozenset[int], idle: int) -> None:
        """One more frame, after so many idle cycles."""
        self.time += 1
        self.end([event for event in self.active if idle or event not in events], self.time)
        self.time += idle
        for event in events:
            self.active.setdefault(event, self.time)

    def once_short(self, events: frozenset[int], idle: int) -> None:
        """The pinned decoder's Repeat of a spaced frame."""
        self.end(list(self.active), self.time)
        self.time += idle
        for event in events:
            self.active[event] = self.time


def intervals(commands: Sequence[Command], decoder: str = "later") -> list[Interval]:
    """Intervals in order of their ends; those that are open at the end of the trace are closed there."""
    state = _Decoder()
    events: frozenset[int] = frozenset()
    idle = 0
    for command in commands:
        if command.kind == "start":
            state.time = max(state.time, -1)
        elif command.kind == "sync":
            state.time += MOST_CYCLES if decoder == "later" else 0
        elif command.kind == "events":
            events, idle = command.events, command.cycles
            state.frame(events, idle)
        elif decoder == "pinned":
            if idle:
                state.once_short(events, idle)
            else:
                state.time += command.repeats
        else:
            for _ in range(command.repeats):
                state.frame(events, idle)
    state.end(list(state.active), state.time + 1)
    return state.found


def measure(found: Sequence[Interval]) -> Measured:
    """Total and vector cycles between the first event0 and the first event1."""
    first = {
        event: min((i.begin for i in found if i.event == event), default=None) for event in (EVENT_0, EVENT_1)
    }
    start, stop = first[EVENT_0], first[EVENT_1]
    if start is None or stop is None:
        return Measured(float("inf"), 0, complete=False)
    inside = (i for i in found if i.event == VECTOR and start <= i.begin and i.end <= stop)
    return Measured(float(stop - start), sum(i.end - i.begin for i in inside))


def replay(total: int, pulses: Sequence[int], decoder: str) -> Measured:
    """What a decoder would report of a run of `total` cycles with vector instructions in the cycles `pulses`.

    `pulses` are counted from event0 and rise.
    """
    frames: list[tuple[int, frozenset[int]]] = [(0, frozenset({EVENT_0}))]
    for pulse in pulses:
        if pulse <= 0 or pulse >= total:
            continue
        frames.append((pulse, frozenset({VECTOR})))
    frames.append((max(total, 1), frozenset({EVENT_1})))
    return measure(intervals(list(frames_to_commands(frames)), decoder))
