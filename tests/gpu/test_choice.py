"""`--devices`: which GPUs that names, and how one of them is waited for."""

import sys
import threading
import types

import pytest

from kernelopt.errors import ConfigError, MissingTool
from kernelopt.gpu import choice
from kernelopt.gpu.lease import lease


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    ("names", "environment", "found"),
    [
        (["0", "2"], {}, ("0", "2")),
        (["GPU-12ab34cd-0000"], {}, ("GPU-12ab34cd-0000",)),
        (["1"], {"CUDA_VISIBLE_DEVICES": "3,5"}, ("5",)),
        (["0"], {"CUDA_VISIBLE_DEVICES": "GPU-12ab34cd"}, ("GPU-12ab34cd",)),
    ],
)
def test_a_number_counts_what_the_user_may_see(names, environment, found):
    assert choice.chosen(names, environment) == found


@pytest.mark.parametrize(
    ("names", "environment", "words"),
    [
        ([], {}, "name at least one"),
        (["one"], {}, "--devices one: no GPU"),
        (["-1"], {}, "no GPU"),
        (["../x"], {}, "no GPU"),
        (["0", "00"], {}, "named twice"),
        (["2"], {"CUDA_VISIBLE_DEVICES": "3,5"}, "shows 2 only"),
        (["0", "GPU-12ab"], {"CUDA_VISIBLE_DEVICES": "GPU-12ab"}, "twice"),
    ],
)
def test_what_names_no_gpu_is_refused_in_one_line(names, environment, words):
    with pytest.raises(ConfigError, match=words) as refused:
        choice.chosen(names, environment)
    assert "\n" not in str(refused.value)


def test_a_gpu_that_is_not_here_is_refused_where_anything_tells_how_many_there_are():
    assert choice.chosen(["0", "1"], {}, lambda: 2) == ("0", "1")
    assert choice.chosen(["7"], {}, lambda: 0) == ("7",)
    with pytest.raises(ConfigError, match="--devices 2: GPUs here are numbered 0 to 1"):
        choice.chosen(["0", "2"], {}, lambda: 2)


def test_a_process_that_is_to_see_one_gpu_counts_as_nvml_does():
    assert choice.visible("3") == {"CUDA_VISIBLE_DEVICES": "3", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def hold(**settings):
    said = []
    return choice.held("7", threading.Event(), said.append, **settings), said


def test_a_free_gpu_is_held_without_a_word():
    waiting, said = hold()
    with waiting, pytest.raises(MissingTool), lease("7"):
        pass
    assert said == []
    with lease("7"):
        pass


def other(stop, held):
    """Another holder of the same GPU, in a thread of its own."""
    with lease("7"):
        held.set()
        stop.wait(20)


@pytest.fixture
def taken():
    stop, held = threading.Event(), threading.Event()
    thread = threading.Thread(target=other, args=(stop, held))
    thread.start()
    assert held.wait(20)
    yield stop
    stop.set()
    thread.join()


def test_waiting_for_another_holder_is_said_once_and_ends_with_him(taken):
    waiting, said = hold(poll_s=0.01)
    timer = threading.Timer(0.1, taken.set)
    timer.start()
    with waiting:
        timer.join()
    assert said == ["waiting up to 600 s for GPU 7: another measurement uses it"]


def test_who_waits_too_long_is_told_in_a_sentence(taken):
    waiting, _ = hold(wait_s=0.05, poll_s=0.01)
    with pytest.raises(MissingTool, match="GPU 7 is in use by another measurement"), waiting:
        pass


def test_waiting_ends_when_the_search_does(taken):
    stop = threading.Event()
    stop.set()
    with pytest.raises(MissingTool), choice.held("7", stop, lambda _: None):
        pass


def test_a_card_is_leased_by_its_uuid_whatever_it_was_called(monkeypatch):
    made = types.ModuleType("pynvml")
    made.NVMLError = type("NVMLError", (Exception,), {})
    made.nvmlInit = made.nvmlShutdown = lambda: None
    made.nvmlDeviceGetHandleByIndex = lambda index: index
    made.nvmlDeviceGetUUID = lambda index: f"GPU-{index:08d}".encode()
    monkeypatch.setitem(sys.modules, "pynvml", made)
    assert choice.lease_name("7") == "GPU-00000007"
    assert choice.lease_name("GPU-1234") == "GPU-1234"


def test_without_a_driver_its_name_has_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert choice.lease_name("7") == "7"
