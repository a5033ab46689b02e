"""The interval of a speedup."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.evaluator.stats import speedup

latencies = st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=30)


@given(latencies, st.floats(0.1, 10.0))
def test_a_constant_ratio_has_no_spread(reference, ratio):
    found = speedup(reference, [value / ratio for value in reference])
    assert found.median == pytest.approx(ratio)
    assert found.ci95_low == pytest.approx(ratio)
    assert found.ci95_high == pytest.approx(ratio)


@given(
    latencies.flatmap(
        lambda a: st.tuples(st.just(a), st.lists(st.floats(1e-3, 1e3), min_size=len(a), max_size=len(a)))
    )
)
def test_the_interval_holds_the_median_and_lies_within_the_ratios(pair):
    reference, candidate = pair
    found = speedup(reference, candidate)
    ratios = np.asarray(reference) / np.asarray(candidate)
    assert (
        ratios.min() - 1e-9 <= found.ci95_low <= found.median <= found.ci95_high <= ratios.max() * (1 + 1e-9)
    )


def test_the_same_samples_give_the_same_interval():
    samples = ([1.0, 1.1, 0.9, 1.3], [0.5, 0.7, 0.4, 0.6])
    assert speedup(*samples) == speedup(*samples)


@pytest.mark.parametrize("pair", [([], []), ([1.0], [1.0]), ([1.0, 2.0], [1.0])])
def test_too_few_rounds_are_refused(pair):
    with pytest.raises(ValueError, match="two paired rounds"):
        speedup(*pair)


def test_equal_kernels_are_rarely_called_faster():
    """A/A on synthetic noise: the share of intervals above 1 stays near 2.5%."""
    generator = np.random.default_rng(7)
    faster = 0
    for _ in range(400):
        a, b = generator.lognormal(0, 0.1, (2, 12))
        faster += speedup(a.tolist(), b.tolist()).ci95_low > 1
    assert faster <= 24  # 6%: the percentile bootstrap of a median is slightly liberal at 12 rounds
