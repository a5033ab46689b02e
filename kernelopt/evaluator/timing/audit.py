"""Timed outputs, read out of stopped processes: the candidate's against the reference's.

A glance at random stretches of some random calls costs a millisecond or three and follows every timed
batch; they are chosen after the batch has ended. Where a glance finds a difference, the call is compared
in full with an fp64 reference, which alone decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch

from kernelopt.evaluator.expected.sample import real
from kernelopt.evaluator.workers.claims import Batch, Layout
from kernelopt.task import Tolerance

STRETCHES, GLANCED = 16, 48
"""How many are looked at of one call, to see whether it changes; of up to `CALLS` in a glance."""
CALLS = 6
"""What goes wrong in few calls, a race say, is seen sooner in little of many than in much of one."""
WHOLE_BYTES = 128 << 10
"""Outputs of a call up to this are looked at as a whole: that costs no more than a glance at stretches."""
STRETCH_BYTES = 2048
"""So few elements that torch compares them in one thread: several wait for each other on a busy machine."""
SLACK = 4.0
"""A glance allows so many times the tolerance: its yardstick is eager's result on other inputs."""

Spans = list[tuple[int, int]]
Places = Callable[[Layout], Spans]
"""Where to look at an output."""


class Memory(Protocol):
    """A stopped process."""

    def read(self, spans: Sequence[tuple[int, int]]) -> bytes | None:
        """Its memory at (address, bytes), joined."""


def stretches(layout: Layout, chance: random.Random, count: int = STRETCHES) -> Spans:
    """Random places (offset, bytes) to look at: everything where that is little."""
    if layout.extent <= count * STRETCH_BYTES:
        return [(0, layout.extent)]
    last = (layout.extent - STRETCH_BYTES) // layout.dtype.itemsize
    places = {0, last, *(chance.randrange(last + 1) for _ in range(count - 2))}
    return [(place * layout.dtype.itemsize, STRETCH_BYTES) for place in sorted(places)]


def region(layout: Layout, chance: random.Random, most: int) -> Spans:
    """One random place of up to `most` bytes: the whole output where it is no larger."""
    if layout.extent <= most:
        return [(0, layout.extent)]
    place = chance.randrange((layout.extent - most) // layout.dtype.itemsize + 1)
    return [(place * layout.dtype.itemsize, most)]


def sampled(batch: Batch, call: int, chance: random.Random) -> Spans:
    """Random stretches of the outputs of a call: (address, bytes)."""
    outputs = zip(batch.at[call], batch.layouts, strict=True)
    return [(at + where, size) for at, layout in outputs for where, size in stretches(layout, chance)]


def glance(
    candidate: tuple[Memory, Batch, Sequence[int]],
    reference: tuple[Memory, Batch, Sequence[int]],
    allowed: Sequence[Tolerance],
    places_of: Places | None,
) -> bool:
    """Whether some places of some calls' outputs agree, or all of the first call's without `places_of`.

    Each side is (process, batch, calls); calls of both sides on the same inputs stand at the same place.
    """
    (ours, batch, calls), (theirs, other, their_calls) = candidate, reference
    if [(one.dtype, one.shape) for one in batch.layouts] != [(one.dtype, one.shape) for one in other.layouts]:
        return False
    for index, (here, there) in enumerate(zip(batch.layouts, other.layouts, strict=True)):
        same = here.stride == there.stride and here.dense
        places = [places_of(here) for _ in calls] if same and places_of else None
        a = _peek(ours, [batch.at[call][index] for call in calls], here, places)
        b = _peek(theirs, [other.at[call][index] for call in their_calls], there, places)
        if a is None or b is None or not agree(a, b, allowed[index]):
            return False
    return True


def whole(process: Memory, batch: Batch, call: int) -> list[torch.Tensor | None]:
    """Copies of the outputs of a call, made without the help of the process that computed them."""
    found: list[torch.Tensor | None] = []
    for layout, span in zip(batch.layouts, batch.spans(call), strict=True):
        raw = process.read([span]) if layout.numel else b""
        found.append(None if raw is None else layout.tensor(raw))
    return found


def claims(batch: Batch) -> list[dict[str, Any]]:
    """Claims about the outputs of a timed call, as a checked run makes them."""
    return [
        {
            "type": "torch.Tensor",
            "dtype": str(layout.dtype).removeprefix("torch."),
            "shape": list(layout.shape),
            "stride": list(layout.stride),
            "device": "cpu",
        }
        for layout in batch.layouts
    ]


def agree(a: torch.Tensor, b: torch.Tensor, allowed: Tolerance) -> bool:
    """Whether two results are the same up to `SLACK` times the tolerance; exactly, for integers."""
    a, b = real(a), real(b)
    if not b.is_floating_point():
        return torch.equal(a, b)
    if a.dtype == b.dtype and _plainly_near(a, b, allowed):
        return True
    x, y = a.double(), b.double()
    near = (x - y).abs_() <= SLACK * (allowed.atol + allowed.rtol * y.abs())
    near &= y.isfinite()  # an infinity has infinite room around it
    return bool((near | (x == y) | (x.isnan() & y.isnan())).all())


def _plainly_near(a: torch.Tensor, b: torch.Tensor, allowed: Tolerance) -> bool:
    """Whether half the room is enough, rounded as their type is: thrice as fast as float64."""
    room = b.abs().mul_(SLACK / 2 * allowed.rtol).add_(SLACK / 2 * allowed.atol)
    return bool((torch.sub(a, b).abs_() <= room).all()) and bool(b.isfinite().all())


def _peek(
    process: Memory, addresses: Sequence[int], layout: Layout, places: Sequence[Spans] | None
) -> torch.Tensor | None:
    """What lies at places of the outputs at several addresses, joined; the whole first one without places."""
    if not layout.numel:
        return torch.empty(0, dtype=layout.dtype)
    if places is None:
        raw = process.read([(addresses[0], layout.extent)])
        return None if raw is None else layout.tensor(raw)
    pairs = zip(addresses, places, strict=True)
    raw = process.read([(address + at, size) for address, spans in pairs for at, size in spans])
    return None if raw is None else torch.frombuffer(bytearray(raw), dtype=layout.dtype)
