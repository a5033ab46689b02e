"""The file that keeps a machine's noise: used where it fits, else said to be of no use."""

import dataclasses
import json

import pytest

from kernelopt.evaluator.settings import Settings
from kernelopt.executors import calibration
from kernelopt.executors.calibration import Calibration, Machine
from kernelopt.executors.local import LocalExecutor

HERE = Machine("Abacus 3000", 2, "2.13.0")
FOUND = Calibration(HERE, "2026-11-21", threads=2, between_sd=0.0612, trials=24, false_faster=0.0)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(calibration, "machine", lambda: HERE)


def rewrite(**changes):
    place = calibration.store(FOUND)
    place.write_text(json.dumps({**json.loads(place.read_text()), **changes}))


def test_what_is_stored_is_found_again():
    place = calibration.store(FOUND)
    assert calibration.load() == (FOUND, "")
    assert list(place.parent.iterdir()) == [place]
    kept = json.loads(place.read_text())
    assert kept["schema"] == 1 and kept["cpu"] == "Abacus 3000" and kept["between_sd"] == 0.0612


def test_the_judge_takes_the_figure_and_says_where_it_is_from():
    calibration.store(FOUND)
    settings = calibration.apply(Settings(seeds=3))
    assert (settings.between_sd, settings.between_from) == (0.0612, "calibrated 2026-11-21")
    assert settings.seeds == 3
    assert calibration.used() == "0.061 (calibrated 2026-11-21)"
    assert "0.061 (calibrated 2026-11-21)" in LocalExecutor().describe()["noise"]


def test_without_a_file_the_default_is_used_and_nothing_is_said():
    assert calibration.load() == (None, "")
    assert calibration.apply(Settings()) == Settings()
    assert calibration.used().endswith("(default)")


@pytest.mark.parametrize(
    ("change", "word"),
    [({"cpu": "Other"}, "cpu Other"), ({"cores": 64}, "cores 64"), ({"torch": "1.0"}, "torch 1.0")],
)
def test_a_file_of_another_machine_is_not_used(change, word):
    rewrite(**change)
    found, warning = calibration.load()
    assert found is None and calibration.apply(Settings()) == Settings()
    assert word in warning and "kernelopt calibrate" in warning and "\n" not in warning


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"x"', "{}", "\x00", "[" * 100_000, '{"schema": 1}'],
)
def test_a_damaged_file_is_one_warning(text):
    calibration.store(FOUND).write_text(text)
    found, warning = calibration.load()
    assert found is None and "cannot be read" in warning and "\n" not in warning


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"between_sd": 0.0},
        {"between_sd": -0.1},
        {"between_sd": float("nan")},
        {"between_sd": float("inf")},
        {"between_sd": None},
        {"between_sd": 1e6},
        {"date": "yesterday\nand more"},
        {"date": 5},
        {"trials": "many"},
        {"false_faster": []},
    ],
)
def test_a_figure_that_makes_no_sense_is_one_warning(change):
    rewrite(**change)
    found, warning = calibration.load()
    assert found is None and "cannot be read" in warning


def test_a_rate_that_is_not_known_may_be_left_open():
    calibration.store(dataclasses.replace(FOUND, false_faster=None))
    assert calibration.load()[0].false_faster is None
