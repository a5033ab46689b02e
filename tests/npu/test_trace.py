"""Execution traces: packets, the two decoders, and the figures that NPUEval published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.npu.trace import Command, packets, timeline

EVENTS = st.frozensets(st.integers(0, 7), min_size=1, max_size=8)
COMMANDS = st.lists(
    st.one_of(
        st.builds(Command, st.just("events"), EVENTS, st.integers(0, packets.MOST_CYCLES)),
        st.builds(lambda n: Command("repeat", repeats=n), st.integers(0, packets.MOST_REPEATS)),
        st.builds(lambda n: Command("start", cycles=n), st.integers(0, (1 << 56) - 1)),
        st.just(Command("sync")),
    )
)


@given(COMMANDS)
def test_every_stream_of_commands_survives_its_bytes(commands):
    assert packets.decode(packets.encode(commands)) == commands


@given(st.binary(max_size=400))
def test_no_bytes_are_too_strange_to_decode(data):
    for decoder in timeline.DECODERS:
        timeline.measure(timeline.intervals(packets.decode(data)[:50], decoder))


@given(st.binary(max_size=300), st.integers(0, 7), st.integers(0, 127))
def test_words_carry_bytes_and_place_of_a_tile(data, row, column):
    data = data.replace(b"\xa5", b"\x00")
    found = packets.from_words(packets.to_words(data, row, column))
    assert found == ({(row, column): data + bytes([packets.PAD]) * (-len(data) % 28)} if data else {})


@given(st.sets(st.integers(1, 3000), max_size=300), st.integers(1, 50))
def test_the_later_decoder_sees_what_happened(pulses, rest):
    total = max(pulses, default=0) + rest
    seen = timeline.replay(total, sorted(pulses), "later")
    assert (seen.total, seen.vector) == (total, len(pulses))


@given(st.integers(1, 200), st.integers(1, 20), st.integers(2, 9))
def test_the_pinned_decoder_counts_back_to_back_work_in_full(length, start, rest):
    pulses = list(range(start, start + length))
    seen = timeline.replay(start + length + rest, pulses, "pinned")
    assert (seen.total, seen.vector) == (start + length + rest, length)


@given(st.sets(st.integers(1, 3000), max_size=300), st.integers(1, 50))
def test_the_pinned_decoder_never_sees_more_than_the_later_one(pulses, rest):
    total = max(pulses, default=0) + rest
    seen = timeline.replay(total, sorted(pulses), "pinned")
    assert seen.total <= total
    assert seen.vector <= len(pulses)


def test_four_equally_spaced_pulses_are_two_to_the_pinned_decoder():
    """As published for add_offset_int8 with 64 lanes: four vector additions, two vector cycles."""
    assert timeline.replay(60, [9, 20, 31, 42], "pinned").vector == 2


def test_sixteen_rounds_of_four_pulses_are_half_to_the_pinned_decoder():
    """As published for abs_int8 with 16 lanes: 64 vector instructions, 31 vector cycles."""
    pulses = [13 + 44 * turn + 10 * step for turn in range(16) for step in range(4)]
    assert timeline.replay(720, pulses, "pinned").vector == 32
    early = [10 + 44 * turn + 10 * step for turn in range(16) for step in range(4)]
    assert timeline.replay(720, early, "pinned").vector == 31


def test_a_repeat_stands_for_all_its_frames():
    pulse = Command("events", frozenset({2}), 4)
    found = timeline.intervals([pulse, Command("repeat", repeats=3)])
    assert [(i.begin, i.end) for i in found] == [(4, 5), (9, 10), (14, 15), (19, 20)]


def test_two_events_at_once_repeat_together():
    both = Command("events", frozenset({2, 3}), 1)
    found = timeline.intervals([both, Command("repeat", repeats=1)])
    assert sorted((i.event, i.begin) for i in found) == [(2, 1), (2, 3), (3, 1), (3, 3)]


def test_an_event_without_idle_cycles_before_it_goes_on():
    found = timeline.intervals([Command("events", frozenset({2}), 3), Command("events", frozenset({2}), 0)])
    assert [(i.begin, i.end) for i in found] == [(3, 5)]


def test_a_trace_without_its_end_has_no_score():
    seen = timeline.measure(timeline.intervals([Command("events", frozenset({0}), 0)]))
    assert (seen.total, seen.vector, seen.score) == (float("inf"), 0, 0.0)


def test_a_pause_longer_than_the_counter_is_kept():
    total = 3 * packets.MOST_CYCLES + 5
    assert timeline.replay(total, [7], "later").total == total


def test_nothing_that_was_never_written_is_read():
    words = packets.to_words(b"\x20\x10", 2, 0) + [0] * 64
    assert list(packets.from_words(words)) == [(2, 0)]
    assert packets.read_text("f0000001\n0000000a\n\nnot a word\n1") == [0xF0000001, 0xA]


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_packets_of_other_kinds_of_tiles_are_left_out(kind):
    assert packets.from_words(packets.to_words(b"\x20", 2, 0, kind=kind)) == {}
