"""Which sizes are tried, and what domain follows from what became of them."""

import dataclasses
import random

import exported
import pytest
import torch

from kernelopt.errors import UsageError
from kernelopt.export import Variant
from kernelopt.export.outline import outline
from kernelopt.export.package import autocast, schema
from kernelopt.export.runtime.guards import Domain, Match
from kernelopt.export.sweep import around, domain, variants

BASE = outline(exported.task())
STATE = [torch.ones(12), torch.ones(12)]


def changed(old, new):
    return exported.task(source=exported.TASK.replace(old, new))


def look(record, rows, cols=12):
    return Domain(record).look([torch.ones(rows, cols), *STATE])


def tried(*rows, status="PASSED"):
    return [Variant({"ROWS": one}, ((one, 12),), status) for one in rows]


def test_only_sizes_of_inputs_are_tried_that_leave_the_weights_alone():
    found = list(variants(exported.task()))
    assert {tuple(variant.sizes) for variant, _ in found} == {("ROWS",)}  # COLS is a size of the weights, too
    rows = sorted(variant.sizes["ROWS"] for variant, _ in found)
    assert rows == [1, 3, 4, 6] and all(f"ROWS = {v.sizes['ROWS']}" in t.source for v, t in found)


def test_sizes_around_a_large_one_are_small_odd_neighbouring_and_larger():
    found = around(1000)
    assert {1, 3, 7, 17, 33, 64, 999, 1001, 1250} <= set(found) and 1000 not in found and 501 in found
    assert around(1) == [2]


def test_several_sizes_are_also_changed_together():
    task = exported.task(
        source=exported.TASK.replace("[torch.randn(ROWS, COLS)]", "[torch.randn(ROWS, LINES, COLS)]").replace(
            "ROWS = 5", "ROWS = 5\nLINES = 6"
        )
    )
    assert any(len(variant.sizes) == 2 for variant, _ in variants(task))


def test_what_passed_is_used_and_what_lies_between_is_compared_first():
    record = domain(BASE, tried(1, 3, 9))
    assert record["sizes"] == {"n0": [1, 9]} and sorted(record["tested"]) == [[1], [3], [5], [9]]
    assert look(record, 3) == Match((3,), known=True)
    assert look(record, 4) == Match((4,), known=False)
    assert "outside" in look(record, 10) and "shape" in look(record, 5, 11)


def test_one_failure_lets_in_only_what_was_tried():
    record = domain(BASE, [*tried(1, 9), *tried(7, status="WRONG_VALUE")])
    assert look(record, 9) == Match((9,), known=True)
    assert look(record, 7) == "n0=7 was not verified" and look(record, 4) == "n0=4 was not verified"


def test_without_a_sweep_only_the_measured_call_is_verified():
    record = domain(BASE, [])
    assert look(record, 5) == Match((), known=True) and "shape" in look(record, 4)


def test_a_kernel_that_never_ran_is_compared_on_its_first_call():
    assert look(domain(BASE, [], ran=False), 5) == Match((), known=False)


def test_axes_that_were_always_equal_must_be_equal():
    task = changed("[torch.randn(ROWS, COLS)]", "[torch.randn(ROWS, ROWS)]")
    task = dataclasses.replace(
        task, source=task.source.replace("x * self.scale + self.shift", "x").replace("rand(cols)", "rand(3)")
    )
    record = domain(outline(task), [Variant({}, ((9, 9),), "PASSED")])
    state = [torch.ones(rule["shape"]) for rule in record["arguments"][1:]]
    assert isinstance(Domain(record).look([torch.ones(9, 9), *state]), Match)
    assert "shape" in Domain(record).look([torch.ones(9, 5), *state])


def test_the_guard_holds_for_every_kind_of_difference():
    record, chance = domain(BASE, tried(1, 9)), random.Random(0)
    x = torch.zeros(5, 12)
    different = [
        x.half(),
        x.to(torch.int32),
        x.t(),
        x.expand(5, 12)[:, ::2],
        x.view(5, 3, 4),
        x.to_sparse(),
        x[:0],
        torch.zeros(5 * 12 + 8)[1:61].view(5, 12),
        torch.zeros(5, 24)[:, :12],
    ]
    chance.shuffle(different)
    for value in different:
        assert isinstance(Domain(record).look([value, *STATE]), str), value
    assert isinstance(Domain(record).look([x, STATE[0].double(), STATE[1]]), str)
    assert isinstance(Domain(record).look([x, torch.ones(24)[::2], STATE[1]]), Match)  # weights are copied


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return torch.relu(", "x.add_(1)\n        return torch.relu(", "writes to its inputs"),
        ("return torch.relu(x * self.scale + self.shift)", "return 3", "returns no tensor"),
        ("[torch.randn(ROWS, COLS)]", "[[torch.randn(ROWS, COLS)]]", "is a list"),
    ],
)
def test_what_no_operator_can_be_is_refused(old, new, said):
    task = changed(old, new)
    if "list" in said:
        task = dataclasses.replace(task, source=task.source.replace("x * self", "x[0] * self"))
    with pytest.raises(UsageError, match=said):
        outline(task)


def test_the_schema_names_inputs_and_weights():
    assert schema(BASE) == "(Tensor x, Tensor scale, Tensor shift) -> Tensor"
    assert autocast(BASE) == "float32"
    source = exported.TASK.replace("def forward(self, x):", "def forward(self, x, steps, rate):")
    numbers = outline(exported.task(source=source.replace("COLS)]", "COLS), 3, 0.5]")))
    assert schema(numbers) == "(Tensor x, int steps, float rate, Tensor scale, Tensor shift) -> Tensor"
    record = domain(numbers, [])
    assert Domain(record).look([torch.ones(5, 12), 4, 0.5, *STATE]) == "steps=4 was not verified, only 3"
