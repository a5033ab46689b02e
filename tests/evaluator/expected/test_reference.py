"""What is expected of a kernel: inputs that tell it from a trivial one, in no more memory than there is."""

import gc
import random
import weakref
from dataclasses import replace

import pytest
import torch
from judging import passes, reference, task, verdict

from kernelopt.errors import TaskError
from kernelopt.evaluation import Status
from kernelopt.evaluator.expected import runner, samples
from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.expected.sensitivity import Shaken
from kernelopt.evaluator.settings import Settings
from kernelopt.task import Workload

GELU = ("F.gelu(x)", "[torch.rand(64, 300)]")


def fresh(forward, inputs, seed=3, **rest):
    return Reference(task(forward, inputs, **rest), Settings(threads=1), random.Random(seed))


def names(known):
    return [sample.workload.id for sample in known.samples]


# Samples -----------------------------------------------------------------------------------------


def test_the_same_samples_come_again_for_the_next_kernel():
    known = fresh(*GELU)
    first = [(s.workload, s.outputs[0].value.clone()) for s in known.samples]
    again = [(s.workload, s.outputs[0].value) for s in known.samples]
    assert [w for w, _ in first] == [w for w, _ in again]
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(first, again, strict=True))


def test_samples_that_do_not_fit_are_made_anew_from_their_seeds(monkeypatch):
    kept = fresh(*GELU)
    names(kept)
    monkeypatch.setattr(samples, "KEEP", 0)
    dropped = fresh(*GELU)
    for turn in range(2):
        for a, b in zip(kept.samples, dropped.samples, strict=True):
            assert a.workload == b.workload, turn
            assert torch.equal(a.args[0], b.args[0])
            torch.testing.assert_close(a.outputs[0].value, b.outputs[0].value, rtol=2.0**-46, atol=0.0)
            assert a.outputs[0].sensitivity == pytest.approx(b.outputs[0].sensitivity, rel=1)
    assert dropped.memory() == 0 < kept.memory()


def test_a_reference_that_gave_up_its_tensors_finds_no_figure_again(monkeypatch):
    known = fresh(
        "F.linear(x, self.w)", "[torch.rand(64, 300)]", init="self.w = nn.Parameter(torch.rand(9, 300))"
    )
    before = [(s.workload, s.args[0], s.outputs[0]) for s in known.samples]
    pool = known.pool
    known.lighten()
    assert known.memory() == known.runner.memory() > 9 * 300 * 4
    monkeypatch.setattr(runner, "Shaken", None)
    for (workload, x, wanted), sample in zip(before, known.samples, strict=True):
        again = sample.outputs[0]
        assert sample.workload == workload
        assert torch.equal(sample.args[0], x)
        assert replace(again, held=wanted.held) == wanted
        torch.testing.assert_close(again.value, wanted.value, rtol=2.0**-45, atol=0.0)
    assert not torch.equal(known.pool[0][0], pool[0][0])


def test_a_light_reference_has_the_same_other_shape():
    known = fresh("F.gelu(x)", "[torch.rand(batch, 300)]", head="batch = 64")
    label, sample = known.other_shape
    full = known.memory()
    known.lighten()
    assert known.memory() == 0 < full
    again = known.other_shape
    assert again[0] == label
    assert torch.equal(again[1].args[0], sample.args[0])


def test_a_reference_goes_with_its_last_owner():
    """A cycle would keep hundreds of megabytes until the next full collection."""
    gc.disable()
    try:
        known = fresh(*GELU)
        names(known)
        gone = weakref.ref(known)
        del known
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("forward", "inputs", "left_out"),
    [
        ("torch.log(x)", "[torch.rand(64, 64) + 0.1]", {"mixed", "outlier", "steep"}),
        ("x / x.norm(dim=1, keepdim=True)", "[torch.rand(64, 64)]", {"constant", "small"}),
        ("torch.exp(x)", "[torch.rand(64, 64)]", {"steep"}),
        ("torch.argmax(x, 1)", "[torch.rand(64, 64)]", {"constant"}),
        ("t * 2", "[torch.randint(0, 9, (64,))]", {"mixed", "outlier", "small"}),
        ("F.gelu(x)", "[torch.rand(64, 64)]", {"nonfinite"}),
        ("torch.relu(torch.nan_to_num(x, 0.0, 0.0, 0.0))", "[torch.rand(64, 64)]", set()),
        ("x.masked_fill(x < 0.5, -torch.inf)", "[torch.rand(64, 64)]", {"nonfinite", "small"}),
    ],
)
def test_what_the_reference_cannot_take_or_does_not_change_is_left_out(forward, inputs, left_out):
    known = fresh(forward, inputs, sig="t" if "t *" in forward else "x")
    found = {name.split("/")[0] for name in names(known)}
    assert set(known.settings.distributions) - found >= left_out
    assert "given" in found
    assert left_out or found | {"fixed", "masked"} == set(known.settings.distributions)


def test_where_both_signs_are_no_choice_elements_are_made_uneven():
    inputs = "[torch.rand(64, 300) + 0.5]"
    entropy = names(fresh("(x * torch.log(x)).sum(1)", inputs))
    assert "uneven/1" in entropy
    assert "mixed/1" not in entropy
    assert "uneven/1" not in names(fresh("(x * torch.exp(-x)).sum(1)", inputs))


def test_where_indices_repeat_writes_that_depend_on_order_are_not_tried():
    inputs = "[torch.randint(0, 50, (30, 64)), torch.rand(30, 64)]"
    unordered = fresh("torch.zeros(50, 64).scatter(0, t, x)", inputs, sig="t, x")
    assert {"steep/1", "constant/1"}.isdisjoint(names(unordered))
    adds = fresh("torch.zeros(50, 64).scatter_add(0, t, x)", inputs, sig="t, x")
    assert {"steep/1", "constant/1"} <= set(names(adds))


def test_a_reference_that_fails_on_its_own_inputs_is_the_task_s_fault():
    with pytest.raises(TaskError, match="forward"):
        names(fresh("x @ x", "[torch.rand(3, 4)]"))


def test_nothing_of_the_reference_s_state_wears_off():
    """Running statistics change with every call; the next kernel gets them as constructed."""
    known = fresh("self.f(x)", "[torch.rand(64, 8)]", init="self.f = nn.BatchNorm1d(8)")
    before = known.state
    names(known)
    after = known.state
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_an_audit_of_spliced_inputs_is_as_strict_as_a_check():
    known = fresh("x.sum(1)", "[torch.rand(64, 3000)]")
    usual = known.samples.first().outputs[0]
    audit = known.sample(Workload("timed", 0), known.pool[0]).outputs[0]
    assert audit.sensitivity == pytest.approx(usual.sensitivity, rel=0.1)
    assert audit.eager_error >= 0.9 * usual.eager_error


# Trivial answers ---------------------------------------------------------------------------------


def test_where_the_reference_guards_against_nan_kernels_have_to():
    known = reference("torch.relu(torch.nan_to_num(x, 0.0, 0.0, 0.0) + 0.3)", "[torch.randn(64, 64)]")
    assert passes(known, lambda x: torch.relu(torch.where(x.isfinite(), x, 0.0) + 0.3))
    assert not passes(known, lambda x: torch.relu(x + 0.3))


@pytest.mark.parametrize("mask", ["torch.ones(40, 50) > 0", "torch.ones(40, 50).tril() > 0"])
def test_a_mask_has_to_be_read(mask):
    known = reference("x.masked_fill(~m, -1e9).softmax(1)", f"[torch.randn(40, 50), {mask}]", sig="x, m")
    usual = eval(mask)
    assert passes(known, lambda x, m: x.masked_fill(~m, -1e9).softmax(1))
    assert not passes(known, lambda x, m: x.masked_fill(~usual, -1e9).softmax(1))


def test_weights_may_be_those_of_a_secret_seed():
    layer = {"init": "self.l = nn.Linear(8, 8)"}
    made = [
        Reference(
            task("self.l(x)", "[torch.rand(4, 8)]", **layer), Settings(threads=1), random.Random(1), seed
        )
        for seed in (42, 42, 7)
    ]
    one, same, other = (known.state["l.weight"] for known in made)
    assert torch.equal(one, same) and not torch.equal(one, other)


class Stale:
    """Gives what the call before this one should have given."""

    def __init__(self, known):
        self.known, self.last = known, None

    def __call__(self, *args):
        outputs = [o.value.float() for o in self.known.sample(Workload("stale", 0), list(args)).outputs]
        last, self.last = self.last, outputs
        return outputs if last is None else last


WEAK = {
    # zeros: a bias far below what the task's own inputs reach
    "far relu": ("torch.relu((self.l(x) - 2) * 1.5)", "[torch.rand(64, 100)]", "self.l = nn.Linear(100, 50)"),
    # a constant: the loss of random logits
    "loss": ("F.cross_entropy(x, t)", "[torch.rand(2048, 10), torch.randint(0, 10, (2048,))]", "pass"),
    # the input: never negative
    "relu": ("torch.relu(x)", "[torch.rand(64, 100)]", "pass"),
    "hardtanh": ("F.hardtanh(x)", "[torch.rand(64, 100)]", "pass"),
    # the output before: inputs hardly reach it
    "deep": (
        "self.s(x)",
        "[torch.rand(8, 200)]",
        "self.s = nn.Sequential(nn.Linear(200, 20), "
        "*[m for _ in range(12) for m in (nn.ReLU(), nn.Linear(20, 20))])",
    ),
    "many columns": ("torch.softmax(x, 1)", "[torch.rand(4, 20000)]", "pass"),
}


@pytest.mark.parametrize("name", WEAK)
def test_a_task_that_its_own_inputs_leave_open_gets_others_that_do_not(name):
    forward, inputs, init = WEAK[name]
    known = reference(forward, inputs, init=init, sig="x, t" if "t" in forward.split("(")[1] else "x")
    names(known)
    assert known.samples.uninformative == frozenset()
    shapes = [w.value.shape for w in known.samples.first().outputs]
    middle = known.samples.first().outputs[0].value.float().mean()
    assert not passes(known, lambda *args: [torch.zeros(shape) for shape in shapes])
    assert not passes(known, lambda *args: [middle.expand(shape).clone() for shape in shapes])
    assert not passes(known, Stale(known))
    if shapes[0] == known.samples.first().args[0].shape:
        assert not passes(known, lambda x: x)


@pytest.mark.parametrize(
    ("forward", "weak"),
    [
        ("torch.softmax(x, 1).sum(1)", {"constant", "previous"}),
        (
            "(lambda y: F.gelu(y - y.mean(1, keepdim=True)))(x.amax(1, keepdim=True))",
            {"zeros", "constant", "previous"},
        ),
        ("F.layer_norm(x, x.shape[1:]).mean(1)", {"zeros", "constant", "previous"}),
        ("F.dropout(x, 0.5, training=True)", {"zeros", "constant", "previous", "identity"}),
        ("x.clone()", {"identity"}),
    ],
)
def test_a_task_that_no_input_opens_says_so(forward, weak):
    known = fresh(forward, "[torch.rand(64, 500)]")
    assert known.samples.uninformative == frozenset(), "not known before all were tried"
    names(known)
    assert known.samples.uninformative == weak


def test_further_distributions_are_tried_where_the_usual_ones_do_not_do():
    few = Settings(threads=1, distributions=("given",))
    known = Reference(task("torch.relu(x)", "[torch.rand(64, 100)]"), few, random.Random(1))
    assert [name.split("/")[0] for name in names(known)] == ["given", "given", "large"]
    assert names(known)[-1] == "large/1", "and stay for the next kernel"
    assert verdict(known, lambda x: x).status is Status.WRONG_VALUE


def test_inputs_to_time_on_give_outputs_that_differ():
    forward, inputs, init = WEAK["far relu"]
    assert fresh(forward, inputs, init=init).samples.timed() != "given"
    assert fresh(*GELU).samples.timed() == "given"


# Sensitivity -------------------------------------------------------------------------------------


def test_shaken_results_are_off_by_about_an_ulp_and_never_the_same():
    x = torch.rand(1000) + 1
    runs = []
    for seed in (1, 2):
        with Shaken(seed) as mode:
            runs.append(x * 3.0)
    off = (runs[0] / (x * 3.0) - 1).abs()
    assert 1e-7 < off.max() < 1e-6
    assert not torch.equal(*runs)
    assert mode.operators == {"mul"}


def test_steps_are_taken_or_not_and_nothing_lies_between():
    """A rounded number that is a little less than it is would be the step below for a conversion."""
    x = torch.randn(10_000) * 50
    with Shaken(1):
        y = torch.clamp(torch.round(x), -99.0, 99.0)
        assert torch.equal(y, y.round()), "whole numbers stay whole"
        z = y.reshape(100, 100)[3:].to(torch.int8)
        assert int((z.flatten() != y[300:]).sum()) == 0
        assert not torch.equal(y / 2 * 2, y), "until something is computed with them"
        near = torch.tensor([2.5]) * torch.ones(1000)
        assert len(set((near + 0.0).round().tolist())) == 2, "and inputs of a step move all the same"


def test_integers_that_rounding_changes_are_counted():
    forward = "(x * 1000).round().to(torch.int32)"
    (wanted,) = [
        one.outputs[0]
        for one in fresh(forward, "[torch.randn(500, 500)]").samples
        if one.workload.id == "mixed/1"
    ]
    assert 0 < wanted.sensitivity < 0.003 * wanted.value.numel()


def test_infinities_stay_what_they_are():
    x = torch.tensor([torch.inf, -torch.inf, 0.0, 1.0])
    with Shaken(1):
        assert torch.equal((x * 1.0)[:3], x[:3])


def test_views_and_in_place_operators_work_under_it():
    x = torch.rand(6, 4)
    with Shaken(1):
        y = x.clone()
        y.t()[1].add_(1.0)
        assert float((y[:, 1] - x[:, 1] - 1).abs().max()) < 1e-5


def test_sensitivity_shows_what_a_lucky_eager_result_hides():
    """Constant rows: PyTorch's own layer norm is exactly zero, an ulp of the input is amplified 300 times."""
    known = reference("F.layer_norm(x, x.shape[1:])", "[torch.rand(64, 500)]")
    (sample,) = [s for s in known.samples if s.workload.id == "constant/1"]
    assert sample.outputs[0].eager_error < 1e-9 < 1e-5 < sample.outputs[0].sensitivity


def test_on_its_own_inputs_a_task_of_jumps_is_not_excused_by_them():
    known = reference("(x @ x.t()).sign()", "[torch.randn(64, 64)]")
    assert known.samples.usual[0].sensitivity <= 2e-5 / 4
    assert passes(known, lambda x: (x @ x.t()).sign())
    assert not passes(known, lambda x: torch.zeros(64, 64))


def test_complex_outputs_are_compared_as_pairs_of_numbers():
    known = reference("torch.fft.fft(x)", "[torch.rand(30, 64)]")
    assert passes(known, torch.fft.fft)
    assert not passes(known, lambda x: torch.fft.fft(x).conj().resolve_conj())
    assert not passes(known, lambda x: torch.fft.fft(x.half().float()))


def test_a_reference_that_insists_on_float32_still_has_a_yardstick():
    known = reference(
        "torch.addmm(torch.zeros(30, 30, dtype=torch.float32), x, x.t())", "[torch.rand(30, 64)]"
    )
    assert known.samples.usual[0].sensitivity > 0
    assert passes(known, lambda x: x @ x.t())


@pytest.mark.parametrize("dtype", ["half", "bfloat16", "double"])
def test_other_dtypes_work(dtype):
    known = reference("torch.softmax(x, 1)", f"[torch.randn(64, 300).{dtype}()]")
    assert passes(known, lambda x: torch.softmax(x.double(), 1).to(x.dtype))
    assert not passes(known, torch.zeros_like)
