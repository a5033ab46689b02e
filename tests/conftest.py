"""Failed asserts of the contract say what was compared."""

import pytest

pytest.register_assert_rewrite("kernelopt.testing")
