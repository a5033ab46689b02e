"""Handles, addresses and sizes are claims: a false one is a verdict, and never an exception."""

import os

import pytest
from gpu_answers import TASK, answer

from kernelopt.evaluation import Stage, Status

PATCH = """
homes = gpu.Gpu.homes
def forged(self, at):
    found = homes(self, at)["homes"]
    {body}
    return {{"homes": found}}
gpu.Gpu.homes = forged
"""
LARGER = """
layout = MAIN.layout
def larger(leaf):
    found = layout(leaf)
    return {{**found, "shape": {shape}, "stride": {stride}}} if state["timed"] else found
MAIN.layout = sys.modules["tensors"].layout = larger
"""


def forged(body):
    return answer(head=PATCH.format(body=body))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "found = [[base, size, 'ab' * 64] for base, size, _ in found]",
            "that is not there",
        ),
        ("found = [[base, size, 'zz' * 64] for base, size, _ in found]", "nonsense"),
        ("found = [[base, size, 'ab'] for base, size, _ in found]", "nonsense"),
        ("found = [[base, 'much', handle] for base, size, handle in found]", "nonsense"),
        ("found = {'much': 1}", "nonsense"),
        ("found = []", "no other process can map"),
        (
            "found = [[base - (1 << 40), 1 << 50, handle] for base, size, handle in found]",
            "beyond its allocation",
        ),
        ("found = [[base, size, state['arena']] for base, size, _ in found]", "the judge's memory"),
    ],
)
def test_a_forged_handle_is_suspect_with_the_reason(evaluate, body, said):
    keep = (
        "mapping = gpu.Gpu.map\n"
        "def note_arena(self, fds, handle, size):\n"
        "    state['arena'] = handle\n"
        "    return mapping(self, fds, handle, size)\n"
        "gpu.Gpu.map = note_arena\n"
    )
    found = evaluate(answer(head=keep + PATCH.format(body=body)), TASK)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.RUN), found.reason
    assert said in found.reason


OTHERS = """
import glob, struct
folder = os.path.dirname({library!r})
def parent(pid):
    try:
        return int(open(f"/proc/{{pid}}/stat").read().rpartition(")")[2].split()[1])
    except OSError:
        return os.getppid()
def theirs(own):
    '''The reference's allocation that corresponds to one of ours: it calls the same operators.

    Its process lives, and has another parent. One in which this kernel was checked has the same parent, and
    may be dead while its files are there.'''
    magic, _, number, size = struct.unpack("QQQQ", bytes.fromhex(own)[:32])
    ours, others = [], []
    for name in glob.glob(folder + "/mem-*"):
        owner, made = map(int, os.path.basename(name).split("-")[1:])
        if owner == os.getpid() and os.path.getsize(name) == size:
            ours.append(made)
        elif owner != {judge} and parent(owner) != os.getppid() and os.path.getsize(name) == size:
            others.append((made, owner))
    made, owner = sorted(others)[sorted(ours).index(number)]
    return struct.pack("QQQQ", magic, owner, made, size).hex().ljust(128, "0")
homes = gpu.Gpu.homes
def foreign(self, at):
    found = homes(self, at)["homes"]
    return {{"homes": [[base, size, theirs(own) if begun > 4 else own] for base, size, own in found]}}
gpu.Gpu.homes = foreign
begun, noted = 0, gpu.Gpu.begin
def count(self):
    '''Wait until the reference has been timed, too: who is first is drawn.'''
    global begun
    begun += 1
    return noted(self)
gpu.Gpu.begin = count
"""


def test_memory_of_the_reference_is_not_taken_for_the_candidate_s(evaluate, world):
    """As if it had guessed the handle of what the reference's process computed."""
    head = OTHERS.format(library=str(world / "libcuda.so.1"), judge=os.getpid())
    found = evaluate(answer(head=head), TASK)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.TIME), found.reason
    assert "memory of another process" in found.reason


@pytest.mark.parametrize(
    ("shape", "stride"),
    [("[500000, 37]", "[37, 1]"), ("[1 << 30, 37]", "[37, 1]"), ("[500, 37]", "[5000, 1]")],
)
def test_a_claim_larger_than_the_allocation_reads_nothing(evaluate, shape, stride):
    found = evaluate(answer(head=LARGER.format(shape=shape, stride=stride)), TASK)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.TIME), found.reason


@pytest.mark.parametrize(
    ("shape", "stride", "status"),
    [
        ("[1 << 40]", "[0]", Status.WRONG_SHAPE),
        ("[1 << 30, 37]", "[37, 1]", Status.WRONG_SHAPE),
        ("[500, 37]", "[0, 1]", Status.WRONG_SHAPE),
        ("[500, 37]", "[37, -1]", Status.WRONG_DTYPE),
        ("'wide'", "[37, 1]", Status.WRONG_SHAPE),
    ],
)
def test_nothing_is_made_of_a_claim_that_no_output_can_be(evaluate, shape, stride, status):
    head = LARGER.format(shape=shape, stride=stride).replace('if state["timed"]', "if True")
    found = evaluate(answer(head=head), TASK)
    assert (found.status, found.stage) == (status, Stage.CHECK), found.reason


def test_the_same_memory_under_two_names_is_closed_twice(evaluate, judge):
    """Bytes of a handle that mean nothing make another handle of it; none may stay open."""
    count = "state[1] = (state.setdefault(1, 0) + 1) % 250"
    named = "found = [[base, size, handle[:-2] + f'{state[1]:02x}'] for base, size, handle in found]"
    assert evaluate(answer(head=PATCH.format(body=f"{count}; {named}")), TASK).status is Status.PASSED
    assert not judge._memory._opened
