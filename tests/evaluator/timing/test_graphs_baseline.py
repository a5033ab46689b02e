"""The baseline ``cuda-graphs``: captured once, replayed on each call's own data. Graphs are acted here."""

import contextlib
import sys
from types import SimpleNamespace

import pytest
import torch

from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.timing.baselines import GRAPHS, MODES, Baselines, names
from kernelopt.executors import local
from kernelopt.resources import folder

sys.path.insert(0, str(folder("sandbox")))
import graphs


class Acted:
    """What `torch.cuda` has of graphs, on the CPU: a replay computes into the captured memory again."""

    def __init__(self, model):
        self.model, self.captures, self.replays = model, 0, 0
        self.capturing = False

    def is_available(self):
        return True

    def Stream(self):  # noqa: N802
        return SimpleNamespace(wait_stream=lambda other: None)

    current_stream = Stream

    def stream(self, side):
        return contextlib.nullcontext()

    def CUDAGraph(self):  # noqa: N802
        made = SimpleNamespace()
        made.replay = lambda: self.replay(made)
        return made

    @contextlib.contextmanager
    def graph(self, made):
        self.captures += 1
        self.model.recorded = []
        yield
        made.args, made.out = self.model.recorded[-1]

    def replay(self, made):
        self.replays += 1
        made.out.copy_(self.model.compute(*made.args))


class Model:
    """Counts calls, and keeps what the last one had."""

    def __init__(self, compute):
        self.compute, self.recorded, self.calls = compute, [], 0

    def __call__(self, *args):
        self.calls += 1
        out = self.compute(*args)
        self.recorded.append((args, out))
        return out


@pytest.fixture
def acted(monkeypatch):
    """A replayed model, its stage, and inputs that are taken for a GPU's."""

    def make(compute):
        model = Model(compute)
        stage = Acted(model)
        return graphs.Replayed(model, stage), model, stage

    monkeypatch.setattr(
        graphs, "_signature", lambda leaf: (tuple(leaf.shape),) if hasattr(leaf, "shape") else leaf
    )
    return make


def test_each_call_sees_its_own_inputs_and_its_outputs_last(acted):
    replayed, _, stage = acted(lambda x, y: x * 2 + y)
    pairs = [(torch.randn(8), torch.randn(8)) for _ in range(5)]
    outs = [replayed(*pair) for pair in pairs]
    for (x, y), out in zip(pairs, outs, strict=True):
        assert torch.equal(out, x * 2 + y)
    assert len({out.data_ptr() for out in outs}) == 5
    assert (stage.captures, stage.replays) == (1, 5)


def test_the_model_itself_runs_before_capture_only(acted):
    replayed, model, _ = acted(lambda x: x + 1)
    for _ in range(4):
        replayed(torch.randn(3))
    assert model.calls == graphs.WARM_CALLS + 1


def test_another_shape_or_number_is_another_graph(acted):
    replayed, _, stage = acted(lambda x, k: x * k)
    for size, factor in ((3, 2), (4, 2), (3, 2), (3, 5)):
        x = torch.randn(size)
        assert torch.equal(replayed(x, factor), x * factor)
    assert stage.captures == 3


def test_inputs_are_left_as_they_are(acted):
    replayed, _, _ = acted(lambda x: x.mul_(2))
    x = torch.ones(4)
    replayed(x)
    assert torch.equal(x, torch.ones(4))


def test_an_input_that_is_not_on_the_gpu_is_refused_with_the_reason():
    replayed = graphs.Replayed(lambda x: x, Acted(Model(lambda x: x)))
    with pytest.raises(RuntimeError, match="an input lies on the cpu"):
        replayed(torch.ones(2))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_there_is_no_such_baseline():
    with pytest.raises(RuntimeError, match="need a GPU"):
        graphs.Replayed(lambda x: x)


def test_it_is_asked_for_on_a_gpu_only():
    assert names("cuda") == (*MODES, *GRAPHS) and names("cpu") == tuple(MODES)


def test_what_cannot_be_captured_is_missing_with_its_reason():
    def measure(reference, mode, settings):
        assert mode == "cuda-graphs"
        raise OSError("operation not permitted when stream is capturing")

    task = SimpleNamespace(task=SimpleNamespace(hash="h"))
    found = Baselines(measure, lambda: None).of(task, Settings(baselines=tuple(GRAPHS)))
    assert found.missing == {"cuda-graphs": "operation not permitted when stream is capturing"}


@pytest.mark.parametrize(("language", "wanted"), [("cpp", names("cpu")), ("cuda", names("cuda"))])
def test_judges_measure_what_there_is_on_their_device(language, wanted, monkeypatch):
    made = []
    for name in ("make_judge", "make_gpu_judge"):
        monkeypatch.setattr(local, name, lambda _, settings, card="": made.append(settings))
    local._start("process", local.Rules(), True, language)
    assert made[0].baselines == wanted
