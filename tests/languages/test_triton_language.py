"""The language triton: what it tells a writer, what it refuses, and what Triton's interpreter makes of it."""

import importlib.util
from pathlib import Path

import pytest

from kernelopt import registry
from kernelopt.evaluation import Stage, Status
from kernelopt.evaluator.judge import Judge
from kernelopt.evaluator.settings import Settings
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest, Language
from kernelopt.languages._tools import HostTools
from kernelopt.languages._triton_guide import EXAMPLE
from kernelopt.sandboxes.process import ProcessSandbox
from kernelopt.search.score import CORRECT, score
from kernelopt.task import Task

KERNELS = Path(__file__).parents[1] / "gpu" / "kernels_triton"
NAMES = sorted(path.stem for path in KERNELS.glob("*.py"))
HEAD = "import torch\nimport triton\nimport triton.language as tl\nfrom torch import nn\n"

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed"
)


def task_of(name: str) -> Task:
    return Task(name, name, (KERNELS / "tasks" / f"{name}.py").read_text(), "file")


def source_of(name: str) -> str:
    return (KERNELS / f"{name}.py").read_text()


@pytest.fixture
def language() -> Language:
    return registry.get("languages", "triton")()


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    made = Judge(
        ProcessSandbox(),
        ProcessSandbox(),
        lambda name: registry.get("languages", name)(),
        tmp_path_factory.mktemp("cache"),
        Settings(run_timeout_s=60.0),
    )
    yield made
    made.close()


@pytest.fixture
def evaluate(judge):
    def run(name, source=None, *, replace=None):
        text = source or source_of(name)
        for old, new in (replace or {}).items():
            assert old in text, f"{old!r} is not in the kernel"
            text = text.replace(old, new)
        return judge.evaluate(Kernel.from_source(text, "triton"), task_of(name))

    return run


def rules(language, source):
    return [finding.rule for finding in language.inspect(Kernel.from_source(source, "triton"))]


# What it says


def test_it_is_found_by_name_and_its_kernels_are_interpreted(language):
    assert (language.name, language.device) == ("triton", "interpreter")
    assert "triton" in registry.names("languages")


def test_without_triton_it_names_the_command_that_installs_it(language, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert language.missing() == "triton is not installed; install it: pip install 'triton>=3.2'"


def test_the_guide_is_short_and_ends_with_a_whole_answer(language):
    guide = language.guide(task_of("gelu"))
    assert len(guide.splitlines()) <= 80
    assert EXAMPLE in guide
    assert "device=x.device" in guide


def test_native_builds_are_refused_with_what_to_do_instead(language, tmp_path):
    reply = language.build(BuildRequest("shared", "k", {"k.cpp": ""}), tmp_path, 1.0, HostTools())
    assert not reply.ok
    assert "@triton.jit" in reply.log


# What it sees in the text


@pytest.mark.parametrize("name", NAMES)
def test_an_honest_kernel_shows_nothing(language, name):
    assert rules(language, source_of(name)) == []


def test_the_worked_example_shows_nothing(language):
    assert rules(language, EXAMPLE) == []


def test_an_answer_without_a_triton_function_has_no_kernel(language):
    source = HEAD + "class ModelNew(nn.Module):\n    def forward(self, x):\n        return x.exp()\n"
    assert "no-kernel" in rules(language, source)


def test_c_plus_plus_is_no_kernel_in_triton(language):
    source = (
        "from kernelopt.inline import cpp\nfrom torch import nn\nlib = cpp('')\n"
        "class ModelNew(nn.Module):\n    def forward(self, x):\n        lib.f(x)\n        return x\n"
    )
    assert rules(language, source) == ["no-kernel"]


LAUNCH = 'gelu[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](x, y, x.numel(), BLOCK=8192)'


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (LAUNCH, "pass", "never-called"),
        ("return y", "return torch.nn.functional.gelu(x)", "fallback"),
        ("return y", "return y * 1.0", "fallback"),
        ("return y", "return y.add_(0)", "fallback"),
        ("tl.erf(", "torch.erf(", "fallback"),
        ("tl.erf(", "helper(", "fallback"),
        ("return y", "return gelu.fn(x)", "fallback"),
        ("return y", "return getattr(gelu, 'f' + 'n')(x)", "fallback"),
        ("return y", "body = gelu.fn\n        return body(x)", "fallback"),
        ("return y", "return gelu(x, y, 1, 1)", "fallback"),
        ("x = x.contiguous()", "open('/etc/passwd')", "files"),
    ],
)
def test_a_way_around_the_kernel_is_seen(language, old, new, rule):
    source = source_of("gelu")
    assert old in source
    helper = "\n\ndef helper(value):\n    return torch.erf(value)\n"
    assert rule in rules(language, source.replace(old, new) + helper)


def test_a_kernel_made_by_a_call_is_no_way_around_either(language):
    source = HEAD + (
        "def body(x):\n    return x @ x\nkernel = triton.jit(body)\n"
        "class ModelNew(nn.Module):\n    def forward(self, x):\n        return kernel.fn(x)\n"
    )
    assert rules(language, source) == ["fallback"]


def test_kernels_may_call_kernels_however_they_are_decorated(language):
    source = source_of("swiglu").replace("@triton.jit\ndef silu", "@triton.jit(noinline=True)\ndef silu")
    assert "noinline" in source
    assert rules(language, source) == []
    renamed = source.replace("import triton\n", "import triton\nfrom triton import jit as kernel\n")
    assert rules(language, renamed.replace("@triton.jit\n", "@kernel\n")) == []


@pytest.mark.parametrize("source", ["", "def f(:", "import triton\n@triton.jit\n", "x" * 300_000])
def test_text_that_is_no_answer_is_no_error(language, source):
    assert isinstance(rules(language, source), list)


# What the interpreter makes of it


@needs_triton
@pytest.mark.parametrize("name", NAMES)
def test_a_right_kernel_passes_without_a_time(evaluate, name):
    found = evaluate(name)
    assert (found.status, found.stage) == (Status.PASSED, Stage.DONE), (found.reason, found.log)
    assert found.timing is None
    assert (found.device, found.reason) == (
        "interpreter",
        "right on the CPU, in Triton's interpreter; not timed",
    )
    assert score(found) == CORRECT


@needs_triton
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("gelu", "0.7071067811865476", "0.7"),
        ("softmax", "value - tl.max(value, 0)", "value"),
        ("cumsum", "+ carry", ""),
        ("row_sum", "at < cols, other=0.0", "at < cols - 1, other=0.0"),
        ("matmul", "for start in range(0, k, BK)", "for start in range(BK, k, BK)"),
    ],
)
def test_a_wrong_kernel_is_found_out(evaluate, name, old, new):
    found = evaluate(name, replace={old: new})
    assert (found.status, found.stage) == (Status.WRONG_VALUE, Stage.CHECK)


@needs_triton
def test_the_worked_example_is_right(judge):
    source = """
import torch
from torch import nn
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.full((1,), 1.5))
    def forward(self, x):
        return self.gain * (x.amax(-1) - x.amin(-1))
def get_inputs():
    return [torch.randn(3, 5, 700)]
def get_init_inputs():
    return []
"""
    found = judge.evaluate(Kernel.from_source(EXAMPLE, "triton"), Task("range", "range", source, "file"))
    assert found.status is Status.PASSED, (found.reason, found.log)


@needs_triton
def test_an_error_inside_a_kernel_is_told_with_its_words(evaluate):
    found = evaluate("gelu", replace={"tl.erf(": "tl.error_function("})
    assert (found.status, found.stage) == (Status.CRASHED, Stage.RUN)
    assert "error_function" in found.reason


@needs_triton
@pytest.mark.parametrize(
    ("body", "call", "words"),
    [
        ("tl.store(y, 0.0)", "kernel(x, y)", "Cannot call @triton.jit'd"),
        ("y.copy_(0.5 * x * (1 + (x / 2**0.5).erf()))", "kernel[(1,)](x, y)", "cannot be one"),
    ],
)
def test_what_triton_would_not_compile_is_not_interpreted_either(judge, body, call, words):
    head = "@triton.jit\ndef kernel(x: tl.constexpr, y: tl.constexpr):\n"
    model = "class ModelNew(nn.Module):\n    def forward(self, x):\n        y = torch.empty_like(x)\n"
    source = f"{HEAD}{head}    {body}\n{model}        {call}\n        return y\n"
    original, judge._inspect = judge._inspect, lambda *_: None
    try:
        found = judge.evaluate(Kernel.from_source(source, "triton"), task_of("gelu"))
    finally:
        judge._inspect = original
    assert (found.status, found.stage) == (Status.CRASHED, Stage.RUN)
    assert words in found.reason


@needs_triton
def test_a_kernel_that_wants_a_gpu_gets_none(evaluate):
    found = evaluate("gelu", replace={"torch.empty_like(x)": "torch.empty_like(x, device='cuda')"})
    assert found.status is Status.CRASHED
    assert "CUDA" in found.reason or "NVIDIA" in found.reason
