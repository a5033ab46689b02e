"""A plan over the small suite, and runs of it."""

import pytest
from small_suite import write_suite

from kernelopt.search.budget import Budget
from kernelopt.search.plan import Plan
from kernelopt.suites import SuiteOptions
from kernelopt.suites._fit import select


@pytest.fixture
def make_plan(tmp_path):
    """A plan for the small suite; keyword arguments replace its fields."""
    suite = write_suite(tmp_path / "suite")

    def make(**fields):
        chosen = select(str(suite), SuiteOptions())
        settings = {"budget": Budget(evaluations=12), "refinements": 1, "minibatch": 2, **fields}
        return Plan(tasks=chosen.tasks, provenance=chosen.provenance, **settings)

    return make
