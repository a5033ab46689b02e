"""Every pattern that the analysis knows is told in fixed words, with its usual cause."""

import pytest
import torch

from kernelopt.evaluation import Check, Status
from kernelopt.evaluator.compare.mismatch import analyse
from kernelopt.feedback import words
from kernelopt.feedback.mismatches import describe, phrases

torch.manual_seed(3)
REFERENCE = torch.randn(8, 16, 37, dtype=torch.float64)
INPUT = REFERENCE.float()


def changed(change, base=INPUT):
    copy = base.clone()
    change(copy)
    return copy


def check(actual, expected=REFERENCE, inputs=(), again=None, known=()):
    facts = analyse(actual, expected, atol=1e-4, rtol=1e-4, inputs=inputs, again=again)
    facts["patterns"] = [*known, *facts["patterns"]]
    return Check("normal/1", Status.WRONG_VALUE, 0.5, 0.1, 1e-6, 1e-4, 1e-4, "wrong", facts)


# What went wrong, the output it gives, and the phrase that must be told of it.
CASES = {
    "nothing written": (check(torch.zeros_like(INPUT)), words.ALL_ZERO),
    "one element read": (check(torch.full_like(INPUT, 2.0)), words.ONE_VALUE),
    "division by zero": (check(INPUT / 0), words.HAS_NAN),
    "memory not written": (
        check(torch.randint(0, 2**28, INPUT.shape, dtype=torch.int32).view(torch.float32)),
        words.UNINITIALIZED,
    ),
    "sum for mean": (check(INPUT * 37), words.CONSTANT_FACTOR),
    "bias twice": (check(INPUT + 1), words.CONSTANT_OFFSET),
    "wrong affine": (check(INPUT * 2 + 1), words.AFFINE),
    "bias missing": (check(INPUT + torch.randn(16, 1)), words.PER_INDEX),
    "wrong row sum": (check(INPUT * (1 + torch.rand(8, 16, 1))), words.PER_ROW),
    "off by one": (check(INPUT.roll(1, 2)), words.SHIFTED),
    "swapped indices": (check(INPUT.transpose(0, 1).contiguous().view(INPUT.shape)), words.TRANSPOSED),
    "half precision": (check(INPUT.half()), words.SMALL_ERRORS),
    "half precision, known": (
        check(INPUT.half(), known=[{"kind": "reduced_precision", "type": "fp16", "evidence": "outputs"}]),
        words.REDUCED_PRECISION,
    ),
    "rounding": (check(changed(lambda x: x.view(-1)[::101].add_(1e-3))), words.NEAR_TOLERANCE),
    "race": (check(torch.randn_like(INPUT), again=torch.randn_like(INPUT)), words.NOT_REPEATABLE),
    "no remainder loop": (check(changed(lambda x: x[..., 32:].zero_())), words.TAIL_WRONG),
    "last block": (check(changed(lambda x: x.view(-1)[-300:].zero_())), words.LAST_BLOCK_WRONG),
    "first element": (check(changed(lambda x: x[0, 0, 0].add_(1))), words.ONE_ELEMENT),
    "a channel": (check(changed(lambda x: x[:, 3].zero_())), words.ONE_SLICE),
    "a lane": (check(changed(lambda x: x[..., ::4].zero_())), words.EVERY_KTH),
    "padding": (
        check(torch.nn.functional.pad(INPUT[:, 1:-1, 1:-1], (1, 1, 1, 1), value=9.0)),
        words.BORDERS_WRONG,
    ),
    "half the channels": (check(changed(lambda x: x[:, 8:14].zero_())), words.PART_WRONG),
    "overflow": (check(INPUT.clamp(-1, 1), inputs=[INPUT]), words.LARGE_ONLY),
    "no slope": (
        check(INPUT, torch.where(REFERENCE < 0, 0.1 * REFERENCE, REFERENCE), [INPUT]),
        words.ONE_SIGN,
    ),
    "no mask": (check(INPUT, REFERENCE.clamp(min=0)), words.ZERO_EXPECTED),
    "another formula": (check(torch.randn_like(INPUT)), words.NO_PATTERN),
}


@pytest.mark.parametrize("mistake", CASES)
def test_each_mistake_is_told_in_its_fixed_words_with_a_cause(mistake):
    failed, phrase = CASES[mistake]
    told = [line for line in describe(failed) if phrase in line]
    assert told, describe(failed)
    assert "Usual cause: " in told[0]
    assert phrase in phrases(failed)


def test_every_pattern_phrase_is_covered():
    covered = {phrase for _, phrase in CASES.values()}
    start, end = list(vars(words)).index("ALL_ZERO"), list(vars(words)).index("ONE_THREAD")
    assert covered == set(list(vars(words).values())[start:end])


def test_numbers_that_locate_the_mistake_are_told():
    text = "\n".join(describe(CASES["no remainder loop"][0]))
    assert "the last 5 of 37 columns, behind the last multiple of 32" in text
    assert "[0, 0, 32]: 0, expected" in text
    assert "640 of 4736 elements" in text
    assert "allowed is 0.0001 + 0.0001 * |reference|" in text
    assert "PyTorch's own error is 1e-06" in text


def test_a_factor_that_is_a_size_points_at_the_division():
    text = "\n".join(describe(CASES["sum for mean"][0]))
    assert "37 = 37, a size of the task" in text
    assert "sum against mean" in text


def test_a_wrong_shape_is_told_with_both_shapes():
    facts = analyse(torch.ones(3), torch.ones(4).double(), atol=0, rtol=0)
    (line,) = describe(Check("a", Status.WRONG_SHAPE, mismatch=facts))
    assert "[3]" in line
    assert "[4]" in line


def test_a_check_without_facts_tells_its_detail():
    assert describe(Check("a", Status.WRONG_DTYPE, detail="dtype float64,\nexpected float32")) == [
        "- dtype float64, expected float32"
    ]


def test_a_pattern_of_a_later_version_is_told_by_its_name():
    facts = dict(CASES["overflow"][0].mismatch, patterns=[{"kind": "mirrored_twice"}])
    assert "mirrored twice" in describe(Check("a", Status.WRONG_VALUE, mismatch=facts))[0]
