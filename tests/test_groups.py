"""Tests of a group run one after the other, in one process: those that time would disturb each other."""

import pytest


@pytest.mark.xdist_group("alone")
def test_groups_of_tests_are_kept_together(request):
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("groups matter with --dist loadgroup only: make test")
    assert request.node.nodeid.endswith("@alone"), "this pytest-xdist does not group tests with this pytest"
