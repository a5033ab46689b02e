"""Failed asserts of the contract say what was compared; property tests have no deadline."""

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("kernelopt.testing")

# How long an example takes says more of the machine than of the code: timings are benchmarks.
settings.register_profile("kernelopt", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kernelopt")
