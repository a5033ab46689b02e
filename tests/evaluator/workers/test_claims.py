"""What a worker says of its outputs is compared with what is wanted before anything is made of it."""

import pytest
import torch
from honest_kernel import HONEST
from judging import claim, reference

from kernelopt.evaluation import Stage, Status
from kernelopt.evaluator import trial
from kernelopt.evaluator.compare.forms import misformed
from kernelopt.evaluator.workers.claims import Layout, layout_of, told
from kernelopt.evaluator.workers.memory import HOST

LIAR = """
import sys
Server = getattr(sys.modules.get("serving"), "Server", None)
if Server is not None:
    honest = Server.send
    def send(self, message):
        for one in message.get("WHERE") or []:
            one.update(LIE)
        honest(self, message)
    Server.send = send
"""
MANY = """
import sys
Server = getattr(sys.modules.get("serving"), "Server", None)
if Server is not None:
    honest = Server.send
    def send(self, message):
        if message.get("WHERE"):
            message["WHERE"] *= 1500
            message["at"] = [one * 1500 for one in message.get("at", [])]
        honest(self, message)
    Server.send = send
"""
LIES = {
    "a number for a shape": "{'shape': 5}",
    "nothing for a shape": "{'shape': None}",
    "a shape larger than numbers are": "{'shape': [1 << 61, 1 << 61]}",
    "a quantized type": "{'dtype': 'qint8'}",
    "a list for a type": "{'dtype': [[]], 'type': 'torch.Tensor'}",
}
LAYOUTS = {
    "a quantized type": "{'dtype': 'qint8'}",
    "more than all memory": "{'shape': [1 << 50], 'stride': [1]}",
    "a shape larger than numbers are": "{'shape': [0, 1 << 61, 1 << 61], 'stride': [1, 1, 1]}",
}


@pytest.mark.parametrize("lie", LIES)
def test_nonsense_about_a_checked_output_is_a_verdict(evaluate, lie):
    found = evaluate(HONEST + LIAR.replace("WHERE", "outputs").replace("LIE", LIES[lie]), static=False)
    assert found.status in (Status.WRONG_SHAPE, Status.WRONG_DTYPE), found.reason
    assert found.stage is Stage.CHECK


@pytest.mark.parametrize("lie", LAYOUTS)
def test_nonsense_about_a_timed_output_is_a_verdict(evaluate, lie):
    found = evaluate(HONEST + LIAR.replace("WHERE", "layouts").replace("LIE", LAYOUTS[lie]), static=False)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.TIME), found.reason


@pytest.mark.parametrize(("where", "status"), [("outputs", Status.WRONG_SHAPE), ("layouts", Status.SUSPECT)])
def test_a_flood_of_outputs_is_counted(evaluate, where, status):
    found = evaluate(HONEST + MANY.replace("WHERE", where), static=False)
    assert found.status is status
    assert "returned 1500 outputs, expected 1" in found.reason


class Talker:
    """Stands in for a worker: says what it is told to, and notes what is copied of it."""

    memory, inputs = HOST, range(0)

    def __init__(self, claims):
        self.claims, self.copied = claims, []

    def map(self, slots, out_bytes):
        pass

    def run(self, which, timeout_s, **how):
        return self.claims

    def copy_out(self, claims):
        self.copied += claims
        return [torch.zeros(4, 3) for _ in claims]


@pytest.mark.parametrize(
    "claims",
    [
        [claim(torch.zeros(4, 3))] * 2,
        [claim(torch.zeros(4, 3), shape=[4, 4])],
        [claim(torch.zeros(4, 3), dtype="float64")],
        [claim(torch.zeros(4, 3), type="builtins.list")],
    ],
    ids=["too many", "of another shape", "of another type", "no tensor"],
)
def test_of_outputs_of_another_form_nothing_is_copied(claims):
    known = reference("x + 1", "[torch.rand(4, 3)]")
    worker = Talker(claims)
    first = next(trial.checks(worker, known, known.settings))
    assert first.status in (Status.WRONG_SHAPE, Status.WRONG_DTYPE)
    assert worker.copied == []


def test_of_outputs_of_the_right_form_each_is_copied():
    known = reference("x + 1", "[torch.rand(4, 3)]")
    worker = Talker([claim(torch.zeros(4, 3))])
    assert next(trial.checks(worker, known, known.settings)).status is Status.WRONG_VALUE
    assert worker.copied


@pytest.mark.parametrize("stride", [(0,), (1,)])
def test_a_timed_output_whose_elements_share_memory_is_refused_unless_the_references_do(stride):
    shared, own = (Layout(torch.float32, (8,), step) for step in (stride, (1,)))
    said = {**claim(torch.zeros(8)), "stride": list(stride)}
    assert misformed("timed", [said], [shared]) is None
    assert (misformed("timed", [said], [own]) is not None) == (stride == (0,))


@pytest.mark.parametrize("name", ["qint8", "quint4x2", "bits8", "Tensor", "nothing", 5, None, ["float32"]])
def test_a_layout_is_of_numbers(name):
    said = {"dtype": name, "shape": [4], "stride": [1], "device": "cpu"}
    assert layout_of(said) is None
    assert layout_of({**said, "dtype": "float32"}) == Layout(torch.float32, (4,), (1,))


def test_a_dimension_of_one_may_have_any_stride():
    raw = torch.arange(3.0).numpy().tobytes()
    assert Layout(torch.float32, (1, 3), (1 << 61, 1)).tensor(raw).tolist() == [[0.0, 1.0, 2.0]]


def test_a_verdict_quotes_what_is_short_and_flat():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert told([5, 3]) == "[5, 3]"
    assert told("float64") == "float64"
    assert told(deep) == told([1] * 1000) == "a list"
    assert len(told("x" * 10_000)) < 1000


NESTED = """
class Deep(Exception):
    pass
def forward(self, x):
    raise Deep
ModelNew.forward = forward
import sys
Server = getattr(sys.modules.get("serving"), "Server", None)
if Server is not None:
    honest = Server.send
    def send(self, message):
        if message.get("error"):
            for _ in range(900):
                message["text"] = [message["text"]]
        honest(self, message)
    Server.send = send
"""


def test_an_error_whose_text_is_none_is_a_crash(evaluate):
    found = evaluate(HONEST + NESTED, static=False)
    assert (found.status, found.reason) == (Status.CRASHED, "Deep")


def test_an_error_that_cannot_be_written_down_is_a_crash_that_can(evaluate):
    source = HONEST.replace("y = torch.empty_like(x)", "raise ValueError(chr(0xD800) + ' it said')")
    found = evaluate(source)
    assert found.status is Status.CRASHED
    assert found.reason.encode().endswith(b"? it said")
