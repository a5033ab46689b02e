"""Failed asserts of the contract say what was compared; property tests have no deadline."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("kernelopt.testing")

# Manuals that somebody added on this machine must not answer in tests.
os.environ["KERNELOPT_DATA"] = str(Path(__file__).parent / "no-manuals")

# How long an example takes says more of the machine than of the code: timings are benchmarks.
settings.register_profile("kernelopt", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kernelopt")


@pytest.fixture(scope="session", autouse=True)
def modest_judges():
    """Judges that keep fewer references: some live side by side here, and one takes what memory there is."""
    from kernelopt.evaluator import judge

    judge.REFERENCES_SHARE = 0.03


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Tests that share what their module sets up run in one process, or it would be set up in each."""
    for item in items:
        if _shares(item) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))


def _shares(item):
    known = getattr(item, "_fixtureinfo", None)
    return known and any(found[-1].scope == "module" for found in known.name2fixturedefs.values())
