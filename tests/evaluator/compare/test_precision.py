"""Honest float32 passes every distribution; float16, bfloat16 and tf32 do not, and are named.

The answers are written in torch, one operation at a time, in the order in which a kernel would do it.
"""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from judging import claim, passes, reference, verdict

from kernelopt.evaluation import Status
from kernelopt.evaluator.compare.check import compare
from kernelopt.evaluator.compare.precision import ROUNDINGS, evidence
from kernelopt.evaluator.expected.sample import Wanted

SHORT = {
    "fp16": lambda x: x.half().float(),
    "bf16": lambda x: x.bfloat16().float(),
    "tf32": ROUNDINGS["tf32"],
}


def same(x):
    return x


def in_order(x):
    """The sum of each row, one element after the other."""
    total = torch.zeros(x.shape[:-1])
    for i in range(x.shape[-1]):
        total = total + x[..., i]
    return total


def in_lanes(x, lanes=8):
    """The sum of each row, as a vector loop with a remainder makes it."""
    whole = x.shape[-1] // lanes * lanes
    columns = x[..., :whole].reshape(*x.shape[:-1], -1, lanes).transpose(-1, -2)
    return in_order(torch.cat([in_order(columns), x[..., whole:]], -1))


def pairwise(x):
    return x.sum(-1)


SUMS = {"in order": in_order, "in lanes": in_lanes, "pairwise": pairwise}


def polynomial(x):
    """The `exp` of most vector libraries: 2^n times a polynomial of degree five, relative error 1e-7."""
    x = x.clamp(-87.3, 88.7)
    n = torch.round(x * 1.44269504)
    r = (x - n * 0.693359375) + n * 2.12194440e-4
    p = torch.full_like(r, 1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        p = p * r + c
    return (p * r * r + r + 1) * torch.exp2(n)


def base_two(x):
    """As GPUs do it: the product already is off by up to 130 half ulps."""
    return torch.exp2(x * 1.44269504)


EXPS = {"exact": torch.exp, "polynomial": polynomial, "base two": base_two}


# Matrix products ---------------------------------------------------------------------------------


def matmul(k, generator):
    return reference("a @ b", f"[torch.{generator}(48, {k}), torch.{generator}({k}, 40)]", sig="a, b")


def product(a, b, step):
    total = torch.zeros(len(a), b.shape[1])
    for k in range(0, a.shape[1], step):
        total = total + a[:, k : k + step] @ b[k : k + step]
    return total


@pytest.mark.parametrize("generator", ["rand", "randn"])
@pytest.mark.parametrize("k", [64, 512, 4096])
class TestMatmul:
    @pytest.mark.parametrize("step", [1, 32])
    def test_other_orders_of_summation_pass(self, k, generator, step):
        assert passes(matmul(k, generator), partial(product, step=step))

    @pytest.mark.parametrize("short", SHORT)
    def test_short_operands_do_not(self, k, generator, short):
        cut = SHORT[short]
        found = verdict(matmul(k, generator), lambda a, b: cut(a) @ cut(b))
        assert found.status is Status.WRONG_VALUE

    @pytest.mark.parametrize("short", SHORT)
    def test_one_short_operand_does_not(self, k, generator, short):
        cut = SHORT[short]
        assert not passes(matmul(k, generator), lambda a, b: cut(a) @ b)

    def test_sums_kept_in_half_precision_do_not(self, k, generator):
        def answer(a, b):
            total = torch.zeros(len(a), b.shape[1], dtype=torch.float16)
            for i in range(a.shape[1]):
                total = total + a[:, i : i + 1].half() * b[i : i + 1].half()
            return total.float()

        assert not passes(matmul(k, generator), answer)


# Softmax -----------------------------------------------------------------------------------------

SOFTMAX = {"narrow": (64, 333), "wide": (16, 4096)}


def softmax(x, exp=torch.exp, total=pairwise, before=same, within=same, after=same):
    x = before(x)
    e = within(exp(within(x - x.amax(1, keepdim=True))))
    return after(e / total(e)[:, None])


def online(x, block=37):
    """Maximum and sum in one pass, rescaled as the maximum grows."""
    top, total = torch.full((len(x), 1), -torch.inf), torch.zeros(len(x), 1)
    for part in x.split(block, 1):
        new = torch.maximum(top, part.amax(1, keepdim=True))
        total = total * torch.exp(top - new) + torch.exp(part - new).sum(1, keepdim=True)
        top = new
    return torch.exp(x - top) * (1 / total)


@pytest.mark.parametrize("size", SOFTMAX)
class TestSoftmax:
    def known(self, size):
        rows, columns = SOFTMAX[size]
        return reference("torch.softmax(x, 1)", f"[torch.randn({rows}, {columns})]")

    @pytest.mark.parametrize("total", SUMS)
    @pytest.mark.parametrize("exp", EXPS)
    def test_honest_ones_pass(self, size, exp, total):
        assert passes(self.known(size), lambda x: softmax(x, EXPS[exp], SUMS[total]))

    def test_an_online_one_passes(self, size):
        assert passes(self.known(size), online)

    @pytest.mark.parametrize("place", ["before", "within", "after"])
    @pytest.mark.parametrize("short", SHORT)
    def test_short_types_anywhere_do_not(self, size, short, place):
        assert not passes(self.known(size), lambda x: softmax(x, **{place: SHORT[short]}))

    def test_without_its_maximum_it_overflows(self, size):
        def answer(x):
            e = torch.exp(x)
            return e / e.sum(1, keepdim=True)

        found = verdict(self.known(size), answer)
        assert found.status is Status.WRONG_VALUE and found.workload_id.startswith(("patchy", "steep"))


# Normalisations ----------------------------------------------------------------------------------


def layer_norm(x, total=pairwise, before=same, after=same, eps=1e-5, one_pass=False):
    x, n = before(x), x.shape[1]
    mean = (total(x) / n)[:, None]
    variance = (
        (total(x * x) / n)[:, None] - mean * mean if one_pass else (total((x - mean) ** 2) / n)[:, None]
    )
    return after((x - mean) * torch.rsqrt(variance + eps))


def welford(x):
    mean, spread = torch.zeros(len(x)), torch.zeros(len(x))
    for i in range(x.shape[1]):
        away = x[:, i] - mean
        mean = mean + away / (i + 1)
        spread = spread + away * (x[:, i] - mean)
    return (x - mean[:, None]) * torch.rsqrt(spread[:, None] / x.shape[1] + 1e-5)


PLAIN = "self.f = nn.LayerNorm({}, elementwise_affine=False)"


@pytest.mark.parametrize("columns", [333, 4096])
class TestLayerNorm:
    def known(self, columns):
        return reference(
            "self.f(x)",
            f"[torch.randn(24, {columns})]",
            init=PLAIN.format(columns),
        )

    @pytest.mark.parametrize("one_pass", [False, True])
    @pytest.mark.parametrize("total", SUMS)
    def test_honest_ones_pass(self, columns, total, one_pass):
        assert passes(self.known(columns), lambda x: layer_norm(x, SUMS[total], one_pass=one_pass))

    def test_welford_s_passes(self, columns):
        assert passes(self.known(columns), welford)

    @pytest.mark.parametrize("place", ["before", "after"])
    @pytest.mark.parametrize("short", SHORT)
    def test_short_types_do_not(self, columns, short, place):
        assert not passes(self.known(columns), lambda x: layer_norm(x, **{place: SHORT[short]}))

    @pytest.mark.parametrize("eps", [0.0, 1e-6, 1e-8])
    def test_another_epsilon_or_none_does_not(self, columns, eps):
        """On the task's own inputs the difference is less than rounding."""
        assert not passes(self.known(columns), lambda x: layer_norm(x, eps=eps))

    def test_assumed_moments_do_not(self, columns):
        assert not passes(self.known(columns), same)

    def test_statistics_of_half_the_row_do_not(self, columns):
        def answer(x):
            half = x[:, ::2]
            mean = half.mean(1, keepdim=True)
            return (x - mean) * torch.rsqrt(half.var(1, correction=0, keepdim=True) + 1e-5)

        assert not passes(self.known(columns), answer)


@pytest.mark.parametrize("total", SUMS)
def test_batch_and_instance_norm_pass_in_any_order(total):
    def norm(x, rows):
        flat = rows(x)
        mean = (SUMS[total](flat) / flat.shape[1])[:, None]
        away = flat - mean
        scale = torch.rsqrt(SUMS[total](away * away) / flat.shape[1] + 1e-5)
        return away * scale[:, None]

    def batch(x):
        made = norm(x, lambda x: x.permute(1, 0, 2, 3).reshape(x.shape[1], -1))
        return made.reshape(x.shape[1], len(x), *x.shape[2:]).permute(1, 0, 2, 3).contiguous()

    def instance(x):
        return norm(x, lambda x: x.reshape(len(x) * x.shape[1], -1)).reshape(x.shape)

    inputs = "[torch.rand(8, 4, 31, 33)]"
    assert passes(reference("self.f(x)", inputs, init="self.f = nn.BatchNorm2d(4, affine=False)"), batch)
    assert passes(reference("self.f(x)", inputs, init="self.f = nn.InstanceNorm2d(4)"), instance)


def test_rounding_behind_a_convolution_may_be_amplified_by_a_norm():
    """A constant image is constant behind it only but for rounding, which differs from kernel to kernel."""
    known = reference(
        "self.g(self.c(x))",
        "[torch.rand(2, 3, 40, 40)]",
        init="self.c = nn.Conv2d(3, 8, 3); self.g = nn.InstanceNorm2d(8)",
    )
    weights = known.runner.model.c

    def answer(x):
        patches, flat = F.unfold(x, 3), weights.weight.reshape(8, -1)
        total = torch.zeros(len(x), 8, patches.shape[2])
        for k in range(patches.shape[1]):
            total = total + flat[:, k][None, :, None] * patches[:, k : k + 1]
        total = (total + weights.bias[None, :, None]).reshape(len(x) * 8, -1)
        return layer_norm(total, in_order).reshape(len(x), 8, 38, 38)

    assert passes(known, answer)


# Elementwise and sums ----------------------------------------------------------------------------


def error_function(x):
    """Abramowitz and Stegun, 7.1.26: absolute error 1.5e-7."""
    t = 1 / (1 + 0.3275911 * x.abs())
    p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return torch.sign(x) * (1 - p * torch.exp(-x * x))


ELEMENTWISE = {
    "F.gelu(x)": (lambda x: 0.5 * x * (1 + error_function(x * 0.70710678)), F.gelu),
    "torch.tanh(x)": (lambda x: 1 - 2 / (polynomial(2 * x.clamp(-44, 44)) + 1), torch.tanh),
    "F.silu(x)": (lambda x: x / (1 + polynomial(-x)), F.silu),
    "F.softplus(x)": (lambda x: torch.where(x > 20, x, torch.log1p(polynomial(x))), F.softplus),
}


@pytest.mark.parametrize("generator", ["rand", "randn"])
@pytest.mark.parametrize("forward", ELEMENTWISE)
def test_elementwise_approximations_pass_and_short_types_do_not(forward, generator):
    known = reference(forward, f"[torch.{generator}(64, 500)]")
    approximate, exact = ELEMENTWISE[forward]
    assert passes(known, approximate)
    for cut in SHORT.values():
        assert not passes(known, lambda x, cut=cut: exact(cut(x)))
        assert not passes(known, lambda x, cut=cut: cut(exact(x)))


@pytest.mark.parametrize(
    ("forward", "answer"),
    [
        ("torch.tanh(x)", lambda x: (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1)),
        ("F.softplus(x)", lambda x: torch.log(1 + torch.exp(x))),
        ("torch.logsumexp(x, 1)", lambda x: torch.log(torch.exp(x).sum(1))),
        ("F.gelu(x)", lambda x: F.gelu(x, approximate="tanh")),
        ("F.normalize(x, dim=1)", lambda x: x / x.norm(dim=1, keepdim=True)),
        ("torch.relu(x)", same),
        ("F.hardtanh(x)", same),
        ("x.abs()", same),
        ("torch.clamp(x, 0, 1)", same),
    ],
)
def test_guards_and_branches_that_the_task_s_own_inputs_never_need_are_missed(forward, answer):
    known = reference(forward, "[torch.rand(64, 500)]")
    found = verdict(known, answer)
    assert found.status is Status.WRONG_VALUE, found


@pytest.mark.parametrize("generator", ["rand", "randn"])
@pytest.mark.parametrize("total", SUMS)
def test_sums_of_rows_pass_in_any_order(total, generator):
    known = reference("x.sum(1)", f"[torch.{generator}(16, 8192)]")
    assert passes(known, SUMS[total])
    for cut in SHORT.values():
        assert not passes(known, lambda x, cut=cut: pairwise(cut(x)))


@pytest.mark.parametrize("generator", ["rand", "randn"])
def test_a_mean_of_everything_passes_however_small_it_is(generator):
    """The mean of random signs has few correct digits; one after the other loses more of them."""
    known = reference("x.mean()", f"[torch.{generator}(8, 16384)]")
    assert passes(known, lambda x: in_lanes(x.reshape(1, -1))[0] / x.numel())
    assert not passes(known, lambda x: x.bfloat16().float().sum().bfloat16().float() / x.numel())


# The words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("short", "said"), [("bf16", "bf16"), ("fp16", "fp16 or tf32"), ("tf32", "tf32")])
def test_the_error_says_which_arithmetic_it_was(short, said):
    known, cut = matmul(512, "randn"), SHORT[short]
    sample = next(s for s in known.samples if s.outputs[0].rounded)
    out = cut(sample.args[0]) @ cut(sample.args[1])
    found = compare(sample, [claim(out)], [out], factor=64.0)
    assert f"looks like {said} arithmetic" in found.detail
    fact = found.mismatch["patterns"][0]
    assert (fact["kind"], fact["type"], fact["evidence"]) == ("reduced_precision", said, "inputs")
    assert fact["share"] == pytest.approx(1.0, abs=0.05)


def test_rounded_outputs_are_recognised_by_their_digits():
    want = Wanted(torch.randn(5000).double(), torch.float32, rms=1.0)
    assert evidence(want.value.bfloat16().float(), want)["type"] == "bf16"
    assert evidence(want.value.half().float(), want)["type"] == "fp16 or tf32"
    assert evidence(want.value.float(), want) is None


def test_an_output_that_is_short_by_nature_is_no_evidence():
    whole = Wanted(torch.randint(0, 900, (5000,)).double(), torch.float32, rms=300.0)
    assert evidence(whole.value.float(), whole) is None
    assert evidence(whole.value.float() + 1, whole) is None


def test_a_shortcut_is_found_where_a_tolerance_cannot_see_it():
    """The variance of a long row averages rounding away; the rest of it still has the signs of bf16."""
    known = reference("x.var(1)", "[torch.rand(512, 8192)]")
    found = verdict(known, lambda x: SHORT["fp16"](x).var(1))
    assert found.status is Status.WRONG_VALUE
    assert "fp16" in found.detail
    assert passes(known, lambda x: in_lanes((x - in_lanes(x)[:, None] / 8192) ** 2) / 8191)


def test_shorter_types_may_be_allowed_and_are_still_reported():
    known = matmul(512, "randn")
    sample = next(s for s in known.samples if s.outputs[0].rounded)
    for name, cut in SHORT.items():
        out = cut(sample.args[0]) @ cut(sample.args[1])
        found = compare(sample, [claim(out)], [out], factor=64.0, allow_reduced=True)
        assert found.status is Status.PASSED, name
        assert "arithmetic" in found.detail
    wrong = sample.args[0].bfloat16().float() @ sample.args[1] * 1.1
    assert (
        compare(sample, [claim(wrong)], [wrong], factor=64.0, allow_reduced=True).status is not Status.PASSED
    )


def test_outputs_that_are_no_numbers_have_no_precision():
    mixed = reference("(x * 3, x > 0.5)", "[torch.rand(40, 8)]")
    assert passes(mixed, lambda x: (x * 3, x > 0.5))
    assert not passes(mixed, lambda x: ((x.half() * 3).float(), x > 0.5))


GATED = ("torch.relu(x + self.gain * F.gelu(self.linear(x)))", "[torch.randn(300, 64)]")


def test_a_shorter_type_is_found_behind_a_small_gain():
    """Rounding all inputs at once moves what passes the branch by far more than the branch itself."""
    init = "self.linear = nn.Linear(64, 64); self.gain = nn.Parameter(1e-3 * torch.ones(64), False)"
    known = reference(*GATED, init=init)
    state = known.state

    def block(x, short):
        z = short(x) @ short(state["linear.weight"]).T + state["linear.bias"]
        return torch.relu(x + state["gain"] * F.gelu(z))

    assert passes(known, partial(block, short=same))
    for name in ("bf16", "fp16"):
        assert f"looks like {name}" in verdict(known, partial(block, short=SHORT[name])).detail
