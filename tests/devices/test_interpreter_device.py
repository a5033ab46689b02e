"""The interpreter is a device without a clock."""

import importlib.util

import pytest

from kernelopt import registry
from kernelopt.devices import Conditions, conditions
from kernelopt.errors import MissingTool, UnknownName


@pytest.fixture
def device():
    return registry.get("devices", "interpreter")()


def test_it_times_nothing_and_says_so(device):
    found = conditions("interpreter")
    assert not found.timed
    assert "not timed" in found.note
    assert found.environment == {"TRITON_INTERPRET": "1"}
    with pytest.raises(MissingTool, match="no clock"):
        device.ceilings()


def test_other_devices_are_timed_in_the_environment_that_they_find():
    assert conditions("cpu") == Conditions(timed=True, note="", environment={})


def test_a_device_that_does_not_exist_is_told_with_those_that_do():
    with pytest.raises(UnknownName, match="interpreter"):
        conditions("abacus")


def test_it_describes_the_cpu_that_interprets(device):
    assert device.describe()["host"] == registry.get("devices", "cpu")().describe()["model"]
    assert "nothing is timed" in device.machine_text()


def test_without_triton_it_names_the_command_that_installs_it(device, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pip install 'triton" in device.missing()
