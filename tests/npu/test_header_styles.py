"""Kernels as they are written elsewhere compile and give what they say."""

import numpy as np
import pytest
from header_programs import bfloats, needs_compiler, printed

pytestmark = needs_compiler


@pytest.fixture(scope="module")
def shown():
    return printed("styles", "-Wall", "-Wextra", "-Werror")


def test_intrinsics_and_pointers_to_vectors(shown):
    assert shown["largest"][0] == 43


def test_templates_with_restrict_iterators(shown):
    assert shown["scaled"].tolist() == (np.arange(64) * 3).tolist()


def test_matrix_blocks_that_start_from_zeros(shown):
    # The left matrix is the upper half of the identity: out come the first four rows, twice.
    assert shown["blocks"].tolist() == (2 * np.arange(32)).tolist()


def test_softmax_with_tables_and_scalars(shown):
    x = bfloats(shown["x"])
    e = np.exp(x - x.max())
    assert np.allclose(bfloats(shown["softmax"]), e / e.sum(), rtol=0.02)


def test_scalar_code_of_mixed_types(shown):
    x = bfloats(shown["x"])[:16]
    half = np.where(x < 0, x * 0.5, np.sqrt(np.maximum(x, 0)))
    assert np.allclose(bfloats(shown["scalars"]), np.maximum(x, 0) + half, rtol=2**-7, atol=1e-6)
    assert shown["bytes"].tolist() == np.trunc(x * 2 + 0.5).astype(int).tolist()
