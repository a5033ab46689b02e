"""Cheats that only a GPU makes possible, and honest kernels in the same clothes.

Without a GPU: each compiles, and the look at the text spares the honest ones. With one: the judge itself.
"""

import pytest
from catalog import HERE, entries, load_task

from kernelopt.evaluation import Status
from kernelopt.evaluator.settings import Look, Settings
from kernelopt.executors import compile as compiling
from kernelopt.executors._open import open_executor
from kernelopt.gpu import toolkit
from kernelopt.kernel import Kernel
from kernelopt.languages._inspect import inspect_kernel
from kernelopt.registry import get

CHEATS, HONEST = entries(HERE / "gpu_cheats"), entries(HERE / "gpu_honest")
QUICK = Settings(looks=(Look(2, 3, 0.004),), batch_ms=3.0, run_timeout_s=20.0)
"""As for the CPU's corpus: one look, at an interval that misses once in 250 times."""
SEEN = {
    "g_side_stream": "streams",
    "g_side_stream_in_extension": "streams",
    "g_product_by_cublas": "library",
    "g_graph_stale": "streams",
    "g_patched_event": "patching",
    "g_patched_synchronize": "patching",
    "g_cache_pointer": "memory",
    "g_cache_fingerprint": "memory",
    "g_left_behind_event": "streams",
    "g_cache_in_module_memory": "memory",
    "g_launch_by_thread": "process",
    "g_next_input_early": "memory",
    "g_other_current_stream": "streams",
    "g_host_callback": "streams",
    "g_persistent_kernel": "streams",
    "g_stale_block": "memory",
    "g_slowed_reference": "streams",
}
"""Cheats that a look at the text can tell, and the rule that does. The others are the judge's alone."""
SAMPLE = {"g_side_stream", "h_graph_with_copies"}
"""Compiled in every run; the others by `pytest -m exhaustive`."""


def language(entry):
    source = entry.source
    return "triton" if "import triton" in source else "cupy" if "cupy.RawKernel" in source else "cuda"


def kernel(entry):
    return Kernel.from_source(entry.source, language(entry))


def by_name(entry):
    return entry.path.stem


def rules(entry):
    return {finding.rule for finding in inspect_kernel(kernel(entry)) if finding.suspect}


def sampled(entry):
    marks = [pytest.mark.slow] if entry.path.stem in SAMPLE else [pytest.mark.exhaustive]
    return pytest.param(entry, id=entry.path.stem, marks=marks)


def test_there_are_enough_of_them_and_no_class_twice():
    assert len(CHEATS) >= 12 and len(HONEST) >= 8
    assert len({entry.cls for entry in CHEATS}) == len(CHEATS)
    assert {entry.kind for entry in CHEATS} == {"cheat"} and {entry.kind for entry in HONEST} == {"honest"}


@pytest.mark.parametrize("entry", [*CHEATS, *HONEST], ids=by_name)
def test_each_answers_a_task_that_there_is(entry):
    assert "class ModelNew" in entry.source and "class Model" in load_task(entry).source


@pytest.mark.parametrize("entry", HONEST, ids=by_name)
def test_the_static_look_spares_honest_kernels(entry):
    assert inspect_kernel(kernel(entry)) == []


@pytest.mark.parametrize("entry", [e for e in CHEATS if e.path.stem in SEEN], ids=by_name)
def test_the_static_look_sees_what_text_can_tell(entry):
    assert SEEN[entry.path.stem] in rules(entry)


@pytest.fixture(scope="module")
def compiler():
    if not toolkit.nvrtc_version():
        pytest.skip("NVRTC is not installed: pip install nvidia-cuda-nvrtc cuda-bindings")
    made = open_executor("compile:sm_90", "process")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "_look", lambda *_, **__: [])  # cheats are to be compiled, not to be seen
        yield made
    made.close()


@pytest.mark.parametrize("entry", [sampled(entry) for entry in (*CHEATS, *HONEST)])
def test_each_compiles(compiler, entry):
    found = compiler.evaluate(kernel(entry), load_task(entry))
    said = found.build.log if found.build else found.log
    assert found.status is Status.COMPILED, f"{found.reason}\n{said}"


@pytest.fixture(scope="module")
def judge():
    if reason := get("devices", "cuda")().missing():
        pytest.skip(reason)
    from kernelopt.executors.local import make_gpu_judge

    made = make_gpu_judge("process", QUICK, "0")._judge
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("entry", CHEATS, ids=by_name)
def test_the_judge_on_a_gpu_is_not_fooled_even_without_the_static_look(judge, entry, monkeypatch):
    monkeypatch.setattr(judge, "_inspect", lambda *_: None)
    found = judge.evaluate(kernel(entry), load_task(entry))
    gained = found.status is Status.PASSED and found.speedup.ci95_low > 1.0
    assert not gained, f"{found.status} at {found.stage}: {found.speedup or found.reason}"


@pytest.mark.slow
@pytest.mark.parametrize("entry", HONEST, ids=by_name)
def test_an_honest_kernel_passes_on_a_gpu(judge, entry):
    found = judge.evaluate(kernel(entry), load_task(entry))
    assert found.status is Status.PASSED, f"{found.status} at {found.stage}: {found.reason}"
