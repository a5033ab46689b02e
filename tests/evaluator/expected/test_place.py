"""fp64 references are computed on a GPU as long as they fit; the CPU has the last word."""

import random

import pytest
import torch
from judging import task

from kernelopt.evaluator.expected.place import Place, moved
from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.settings import Settings


class Elsewhere(torch.nn.Module):
    """A model that can be sent to a device of which there is room for so many calls."""

    def __init__(self, room):
        super().__init__()
        self.where, self.room, self.calls = "cpu", room, []

    def to(self, device):
        self.where = device
        return self

    def forward(self, x, pair):
        self.calls.append(self.where)
        if self.where != "cpu" and self.calls.count(self.where) > self.room:
            raise torch.OutOfMemoryError("no room")
        x.add_(1)
        return x * 2, pair[0]


@pytest.fixture
def a_device(monkeypatch):
    """Tensors are copied when they are sent to ``cuda``, and stay where they are."""
    to = torch.Tensor.to

    def stay(self, *wanted, **others):
        return to(self, *("cpu" if one == "cuda" else one for one in wanted), **others)

    monkeypatch.setattr(torch.Tensor, "to", stay)
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, device: self)
    return "cuda"


def test_outputs_come_back_and_inputs_hold_what_the_call_left_in_them(a_device):
    place, model = Place(a_device), Elsewhere(1)
    args = [torch.zeros(3), [torch.ones(2)]]
    double, one = place.call(model, args)
    assert model.calls == ["cuda"]
    assert args[0].tolist() == [1, 1, 1] and double.tolist() == [2, 2, 2] and one.tolist() == [1, 1]


def test_what_does_not_fit_is_computed_on_the_cpu_from_then_on(a_device):
    place, model = Place(a_device), Elsewhere(1)
    for _ in range(3):
        args = [torch.zeros(3), [torch.ones(2)]]
        place.call(model, args)
        assert args[0].tolist() == [1, 1, 1]  # once, not once more for the attempt
    assert model.calls == ["cuda", "cuda", "cpu", "cpu"]
    assert (place.device, model.where) == ("cpu", "cpu")


def test_arguments_are_moved_as_they_are_nested():
    x = torch.ones(2)
    (one, pair) = moved([x, (x, 3)], "cpu")
    assert type(pair) is tuple and pair[1] == 3
    assert one is not x and one.data_ptr() != x.data_ptr()


def test_a_reference_computes_where_it_is_told_to(a_device):
    seen = []

    class Seen(Place):
        def call(self, model, args):
            seen.append(self.device)
            return super().call(model, args)

    scale = task("x * 3", "[torch.rand(5, 3)]")
    known = Reference(scale, Settings(threads=1), random.Random(1), place=Seen("cuda"))
    sample = known.samples.first()
    assert set(seen) == {"cuda"}
    assert torch.equal(sample.outputs[0].value, sample.args[0].double() * 3)
