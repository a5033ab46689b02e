"""Throttled measurements are made again; the bits are told in words."""

import sys
import types

import pytest

from kernelopt.gpu.nvml import REDONE, Meter, State, spoilt, unthrottled

CALM = State(1980, 2619, 45, 210.0, 0x1)
HOT = State(900, 2619, 95, 300.0, 0x40 | 0x4)


def states(*given):
    left = list(given)
    return lambda: left.pop(0)


def test_a_calm_card_is_measured_once():
    assert unthrottled(lambda: 7, states(CALM, CALM)) == (7, CALM, CALM, 0)


def test_a_throttled_measurement_is_thrown_away():
    made = iter((1, 2))
    assert unthrottled(lambda: next(made), states(CALM, HOT, CALM, CALM)) == (2, CALM, CALM, 1)


def test_a_card_that_stays_hot_is_told_and_not_waited_for_for_ever():
    found, _, after, redone = unthrottled(lambda: 1, lambda: HOT)
    assert (found, redone) == (1, REDONE) and after.throttled


def test_reasons_are_words_and_being_idle_is_none():
    assert HOT.held_back == ("power limit", "thermal slowdown by the hardware")
    assert CALM.held_back == () and not CALM.throttled


def test_the_power_limit_alone_voids_nothing():
    assert not State(1500, 2619, 60, 700.0, 0x4).throttled


def test_the_json_has_units_in_its_names():
    assert HOT.to_json() == {
        "sm_mhz": 900,
        "memory_mhz": 2619,
        "temperature_c": 95,
        "power_w": 300.0,
        "reasons": ["power limit", "thermal slowdown by the hardware"],
        "hot_ns": 0,
    }


def test_a_slowdown_that_came_and_went_is_seen_by_its_count():
    later = State(1980, 2619, 60, 300.0, 0x0, hot_ns=7)
    assert spoilt(CALM, later) == ("thermal slowdown in between",)
    assert spoilt(later, later) == () and spoilt(CALM, HOT) == ("thermal slowdown by the hardware",)


def test_what_holds_no_time_is_not_made_again():
    assert unthrottled(lambda: None, lambda: HOT, lambda found: found is not None)[3] == 0


class NVMLError(Exception):
    pass


@pytest.fixture
def library(monkeypatch):
    """A stand-in for nvidia-ml-py, which answers only where a driver is."""
    made = types.ModuleType("pynvml")
    made.NVMLError, made.NVML_CLOCK_SM, made.NVML_CLOCK_MEM, made.NVML_TEMPERATURE_GPU = NVMLError, 1, 2, 0
    made.nvmlInit = made.nvmlShutdown = lambda: None
    made.nvmlDeviceGetHandleByIndex = lambda index: f"card {index}"
    made.nvmlDeviceGetClockInfo = lambda _, which: {1: 1980, 2: 2619}[which]
    made.nvmlDeviceGetTemperature = lambda *_: 45
    made.nvmlDeviceGetPowerUsage = lambda _: 210_000  # milliwatts
    made.nvmlDeviceGetCurrentClocksThrottleReasons = lambda _: 0x1
    monkeypatch.setitem(sys.modules, "pynvml", made)
    return made


def test_a_card_is_read(library):
    with Meter() as meter:
        assert meter.read() == CALM


def test_a_card_that_counts_the_time_in_which_it_was_hot_is_asked(library):
    library.NVML_PERF_POLICY_THERMAL = 1
    library.nvmlDeviceGetViolationStatus = lambda *_: types.SimpleNamespace(violationTime=12)
    with Meter() as meter:
        assert meter.read().hot_ns == 12


def test_a_card_may_be_named_by_its_uuid(library):
    library.nvmlDeviceGetHandleByUUID = lambda uuid: uuid
    library.nvmlDeviceGetUUID = lambda handle: f"{handle}".encode()
    with Meter("GPU-1") as meter:
        assert meter.uuid() == "GPU-1"


def test_a_card_that_does_not_tell_is_a_sentence(library):
    def fail(*_):
        raise NVMLError("Not Supported")

    library.nvmlDeviceGetPowerUsage = fail
    with Meter() as meter, pytest.raises(RuntimeError, match="NVML: Not Supported"):
        meter.read()


def test_no_driver_is_a_sentence(library):
    def fail():
        raise NVMLError("Driver Not Loaded")

    library.nvmlInit = fail
    with pytest.raises(RuntimeError, match="NVML: Driver Not Loaded"):
        Meter()
