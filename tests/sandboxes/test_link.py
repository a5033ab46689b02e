"""The judge's end of the wire: whatever comes in, there is a message, none, or a timeout, in time."""

import json
import socket
import struct
import threading
import time
from contextlib import closing

import pytest

from kernelopt.sandboxes._link import Link


@pytest.fixture
def wire():
    """The judge's end, and the worker's."""
    ours, theirs = socket.socketpair()
    with closing(Link(ours)) as link, closing(theirs):
        yield link, theirs


def framed(body):
    return struct.pack("!I", len(body)) + body


def test_a_message_comes_in_as_it_is(wire):
    link, worker = wire
    said = {"ok": True, "text": "naïve \N{GRINNING FACE}", "at": [[1, 2], []]}
    worker.sendall(framed(json.dumps(said).encode()))
    assert link.receive(5.0) == said


def test_a_message_that_is_there_is_taken_without_any_time(wire):
    link, worker = wire
    worker.sendall(framed(b"{}"))
    assert link.receive(-1.0) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b"5",
        b"{",
        b"\xff",
        '{"a": 1}'.encode("utf-16"),
        b'{"a":"\xed\xa0\x80"}',
    ],
    ids=["deep lists", "deep objects", "a number", "cut off", "no text", "UTF-16", "a raw surrogate"],
)
def test_nonsense_is_no_message(wire, body):
    link, worker = wire
    worker.sendall(framed(body))
    assert link.receive(5.0) is None


def test_text_can_always_be_written_down(wire):
    link, worker = wire
    worker.sendall(framed(rb'{"text": "a \ud800 b", "also \udfff": ["\ud83d\ude00"]}'))
    assert link.receive(5.0) == {"text": "a ? b", "also ?": ["\N{GRINNING FACE}"]}


def test_bytes_that_drip_do_not_make_more_time(wire):
    link, worker = wire
    over = threading.Event()

    def drip():
        worker.sendall(struct.pack("!I", 1 << 20))
        while not over.wait(0.01):
            worker.sendall(b" ")

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            link.receive(0.2)
        assert time.monotonic() - began < 30.0  # it drips for hours
    finally:
        over.set()
        dripping.join()
