"""The builtin writer's CUDA: its logic on the CPU against PyTorch in fp64; it compiles without spills."""

import re
import sys
from pathlib import Path

import pytest
import torch
from test_builtin_write import ALL, MODULE, build, double, run, task, worst_error
from test_builtin_write import TASKS as SMALL

from kernelopt import registry
from kernelopt.gpu import toolkit
from kernelopt.gpu.nvrtc import Look, compile_source
from kernelopt.kernel import Kernel
from kernelopt.languages._tools import HostTools
from kernelopt.lms._builtin.write_gpu import write_cuda, write_triton
from kernelopt.lms.builtin import Builtin
from kernelopt.prompting.components import seed_candidate
from kernelopt.prompting.extract import extract_kernel
from kernelopt.prompting.render import Brief, generate_prompt
from kernelopt.resources import folder
from kernelopt.task import Task

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks_gpu"))
from on_host import namespace

WIDE = {
    # name: (forward's arguments and body, inputs, body of __init__); sizes that allow 128-bit loads
    "chain": ("x, y: torch.sigmoid(x * 2.0 - y).clamp(0.1, 0.8) / 3.0", "R(33, 61), R(33, 61)", ""),
    "bias": ("x, y: F.gelu(x + self.b) * y", "R(7, 64), R(7, 1)", "self.b = nn.Parameter(R(64))"),
    "masked": ("x, m: torch.where(m, x, -x)", "R(5, 64), torch.rand(5, 64) < 0.5", ""),
    "softmax": ("x: torch.softmax(x, dim=-1)", "R(7, 520)", ""),
    "long_softmax": ("x: torch.softmax(x, dim=-1)", "R(2, 9000)", ""),
    "warp_rows": ("x: torch.softmax(x, dim=-1)", "R(19, 64)", ""),
    "layer_norm": ("x, y: self.n(x + y)", "R(3, 7, 256), R(3, 7, 256)", "self.n = nn.LayerNorm(256)"),
    "group_norm": ("x: F.silu(self.n(x))", "R(3, 6, 4, 8)", "self.n = nn.GroupNorm(2, 6)"),
    "column_sum": ("x: x.sum(dim=0)", "R(50, 68)", ""),
    "column_norm": ("x: F.log_softmax(x, dim=1)", "R(3, 17, 36)", ""),
    "many_columns": ("x: x.abs().amax(dim=1)", "R(40, 9, 512)", ""),
    "wide_loss": ("x, y: ((x - y) ** 2).mean()", "R(16, 128), R(16, 128)", ""),
    "few_long_rows": ("x: x.abs().mean(dim=1) + 1.0", "R(3, 20000)", ""),
    "matmul": ("a, b: torch.relu(torch.matmul(a, b))", "R(68, 20), R(20, 132)", ""),
    "matmul_t": ("a, b: torch.matmul(a.T, b.T) + 1.0", "R(20, 68), R(72, 20)", ""),
    "matvec": ("a, v: torch.mv(a, v)", "R(13, 256), R(256)", ""),
    "bmm_big": ("a, b: torch.bmm(a, b)", "R(140, 9, 8), R(140, 8, 12)", ""),
    "cumsum": ("x: torch.cumsum(x, dim=1)", "R(3, 700)", ""),
    "cumprod_back": ("x: torch.cumsum(x.flip(1), dim=1).flip(1)", "R(3, 300)", ""),
}
QUICK = ("chain", "warp_rows", "layer_norm", "column_norm", "few_long_rows", "matmul", "cumsum")
BASICS = frozenset({"constants", "includes", "tail", "row_max", "epsilon"})
CASES = [("wide", name) for name in WIDE] + [("small", name) for name in SMALL]


def wide_task(name: str) -> str:
    forward, inputs, init = WIDE[name]
    arguments, _, body = forward.partition(": ")
    return MODULE.format(init=init or "pass", arguments=arguments, body=body, inputs=inputs)


def source(kind: str, name: str) -> str:
    return wide_task(name) if kind == "wide" else task(name)


def marked(kind: str, name: str):
    quick = kind == "wide" and name in QUICK
    return pytest.param(kind, name, id=f"{kind}-{name}", marks=() if quick else pytest.mark.exhaustive)


@pytest.mark.parametrize(("kind", "name"), [marked(*case) for case in CASES])
@pytest.mark.parametrize(
    "skills", [pytest.param(BASICS, marks=pytest.mark.exhaustive), ALL], ids=["naive", "all"]
)
def test_agrees_with_pytorch(kind, name, skills, tmp_path, monkeypatch):
    text = source(kind, name)
    file = tmp_path / "answer.py"
    file.write_text(write_cuda(text, skills))
    reference, answer = run(text), namespace(file, monkeypatch, tmp_path)
    model, new = build(reference, "Model"), build(answer, "ModelNew")
    assert list(model.state_dict()) == list(new.state_dict())
    torch.manual_seed(2)
    given = reference["get_inputs"]()
    with torch.no_grad():
        result = new(*given)
        want = model.double()(*map(double, given))
    assert worst_error(result, want) <= 1.0


@pytest.mark.parametrize("name", ["softmax", pytest.param("matmul", marks=pytest.mark.exhaustive)])
def test_cupy_launches_the_same_kernels(name, tmp_path, monkeypatch):
    text = wide_task(name)
    file = tmp_path / "answer.py"
    file.write_text(write_cuda(text, ALL, cupy=True))
    reference, answer = run(text), namespace(file, monkeypatch, tmp_path)
    given = reference["get_inputs"]()
    # The stand-in takes tensors where CuPy takes addresses.
    with torch.no_grad():
        assert (
            worst_error(answer["ModelNew"]()(*given), reference["Model"]().double()(*map(double, given))) <= 1
        )


# --- The bundled tasks ---------------------------------------------------------------------------------

BUNDLED = sorted((folder("benchmarks") / "kernelbench" / "core").glob("level*/*.py"))
FEW = ("12_Softmax", "20_Column_sum", "8_GELU_tanh")
needs_nvrtc = pytest.mark.skipif(not toolkit.nvrtc_version(), reason="NVRTC is not installed")


@needs_nvrtc
@pytest.mark.parametrize(
    "file",
    [
        pytest.param(f, id=f"{f.parent.name}-{f.stem}", marks=() if f.stem in FEW else pytest.mark.exhaustive)
        for f in BUNDLED
    ],
)
@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_every_kernel_for_a_bundled_task_compiles_and_none_spills(file, arch):
    answer = write_cuda(file.read_text(), ALL)
    text = re.search(r"lib = cuda\(r'''\n(.*?)\n'''\)", answer, re.DOTALL)[1]
    done = compile_source(text, arch, ["--std=c++17"], HostTools(), 120.0, look=Look(sass=False))
    assert done.ok, done.log
    assert done.kernels
    for kernel in done.kernels:
        assert kernel.spill_store_bytes == kernel.spill_load_bytes == 0, kernel


# --- What a beginner does ------------------------------------------------------------------------------


def test_a_beginner_believes_that_infinity_has_a_name():
    text = wide_task("softmax")
    assert "-INFINITY" in write_cuda(text, ALL - {"constants"})
    assert "INFINITY" not in write_cuda(text, ALL)


def test_a_beginner_computes_in_double_precision_and_reads_one_float_at_a_time():
    beginner, taught = (write_cuda(wide_task("chain"), skills) for skills in (BASICS, ALL))
    assert "double" in beginner and "float4" not in beginner
    assert "double" not in taught and "float4" in taught


def test_the_elements_that_no_vector_holds_are_not_forgotten():
    assert "if (first < 1)" in write_cuda(wide_task("chain"), ALL)  # 33 * 61 is 4 * 503 + 1


def test_same_question_same_answer():
    assert write_cuda(wide_task("layer_norm"), ALL) == write_cuda(wide_task("layer_norm"), ALL)


# --- Which language is asked for -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("cuda", "lib = cuda(r'''"),
        ("cupy", "lib = cupy.RawModule(code=r'''"),
        ("triton", "@triton.jit"),
        ("cpp", "lib = cpp(r'''"),
    ],
)
def test_the_guide_in_the_prompt_decides_the_language(language, words):
    text = wide_task("softmax")
    brief = Brief(
        text, registry.get("languages", language)().guide(Task("1/1", "softmax", text, "own")), "a GPU"
    )
    reply = Builtin().complete(generate_prompt(seed_candidate(), brief))
    answer = extract_kernel(reply.text).source
    assert (
        words in answer
        and sum(each in answer for each in ("cuda(r", "RawModule", "triton.jit", "cpp(r")) == 1
    )
    assert not [
        f
        for f in registry.get("languages", language)().inspect(Kernel.from_source(answer, language))
        if f.suspect
    ]


@pytest.mark.parametrize("name", WIDE)
def test_the_static_look_has_nothing_against_what_it_writes(name):
    for language, write in (("cuda", write_cuda), ("triton", write_triton)):
        answer = Kernel.from_source(write(wide_task(name), ALL), language)
        assert [f for f in registry.get("languages", language)().inspect(answer) if f.suspect] == []
