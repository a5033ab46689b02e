"""`kernelopt build`: what the compilers know of a GPU kernel, on a machine without a GPU."""

import json
from pathlib import Path

import pytest

from kernelopt.cli.main import main
from kernelopt.gpu import toolkit
from kernelopt.languages._cuda_guide import CUDA_EXAMPLE, CUPY_EXAMPLE

SCALE = """
extern "C" __global__ void __launch_bounds__(256) scale(const float4* x, float4* y, int n, float by) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) { float4 v = x[i]; v.x *= by; v.y *= by; v.z *= by; v.w *= by; y[i] = v; }
}
"""
TASK = """
import torch
import torch.nn as nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.gain * (x.amax(-1) - x.amin(-1))

def get_inputs():
    return [torch.randn(8, 64)]

def get_init_inputs():
    return []
"""

pytestmark = pytest.mark.skipif(not toolkit.nvrtc_version(), reason="NVRTC is not installed")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "task.py").write_text(TASK)
    return tmp_path


def built(capsys, *arguments: str) -> tuple[int, dict]:
    code = main(["build", *arguments, "--sandbox", "process", "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_cuda_file_is_compiled_for_the_named_architecture(place, capsys):
    (place / "scale.cu").write_text(SCALE)
    code, found = built(capsys, "scale.cu", "--arch", "sm_80")
    assert (code, found["ok"]) == (0, True)
    ((kernel,),) = [part["kernels"] for part in found["parts"]]
    assert kernel["name"] == "scale" and found["parts"][0]["arch"] == "sm_80"
    assert kernel["registers"] > 0 and kernel["spill_store_bytes"] == 0
    assert kernel["occupancy"]["block_threads"] == 256


def test_errors_come_with_file_line_and_excerpt(place, capsys):
    (place / "scale.cu").write_text(SCALE.replace("v.x *= by", "v.x *= bye"))
    code, found = built(capsys, "scale.cu")
    assert (code, found["ok"]) == (1, False)
    (error,) = found["parts"][0]["diagnostics"]
    assert (error["file"], error["line"], error["severity"]) == ("scale.cu", 4, "error")
    assert error["message"] == 'identifier "bye" is undefined'
    assert "v.x *= bye" in error["excerpt"]


@pytest.mark.parametrize(
    ("example", "kind"), [(CUDA_EXAMPLE, "inline.cuda"), (CUPY_EXAMPLE, "cupy.RawKernel")]
)
def test_an_answer_is_called_on_the_inputs_of_its_task_and_its_kernels_compiled(example, kind, place, capsys):
    (place / "answer.py").write_text(example)
    code, found = built(capsys, "answer.py", "--suite", "task.py")
    assert (code, found["failure"]) == (0, None)
    (part,) = found["parts"]
    assert part["kind"] == kind
    assert part["kernels"][0]["name"] == "row_range"
    assert part["kernels"][0]["occupancy"]["block_threads"] == 256


def test_an_answer_that_fails_tells_where(place, capsys):
    (place / "answer.py").write_text(CUDA_EXAMPLE.replace("x.contiguous()", "x.nonsense()"))
    code, found = built(capsys, "answer.py", "--suite", "task.py")
    assert (code, found["ok"]) == (1, False)
    assert found["failure"]["phase"] == "forward"
    assert "nonsense" in found["failure"]["text"]


def test_people_get_a_table_and_words(place, capsys):
    (place / "scale.cu").write_text(SCALE)
    assert main(["build", "scale.cu", "--sandbox", "process"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("compiled  scale.cu  (file, sm_90, nvrtc")
    assert "128-bit loads" in told and "1 of 1" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.cu"], "missing.cu: the kernel cannot be read"),
        (["scale.cu", "--arch", "sm_33"], "no architecture 'sm_33'; known are sm_70"),
        (["answer.py", "--suite", "task.py", "--option", "-O1"], "--option is for .cu files"),
    ],
)
def test_bad_input_is_one_line(arguments, words, place, capsys):
    (place / "scale.cu").write_text(SCALE)
    (place / "answer.py").write_text(CUDA_EXAMPLE)
    assert main(["build", *arguments, "--sandbox", "process"]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("kernelopt:")]
    assert words in line


INLINE = '''
import torch
import torch.nn as nn
from torch.utils.cpp_extension import load_inline

ext = load_inline(name="ranges", cpp_sources="torch::Tensor ranges(torch::Tensor x);", cuda_sources="""
HEADERS
KIND __global__ void row_range(const float* x, float* y, int cols) {
    float low = x[blockIdx.x * cols], high = low;
    for (int c = 0; c < cols; ++c) {
        float v = x[blockIdx.x * cols + c];
        low = fminf(low, v);
        high = fmaxf(high, v);
    }
    y[blockIdx.x] = high - low;
}
torch::Tensor ranges(torch::Tensor x) {
    auto y = torch::empty({x.size(0)}, x.options());
    row_range LAUNCH(x.data_ptr<float>(), y.data_ptr<float>(), x.size(1));
    return y;
}
""", functions=["ranges"])


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return ext.ranges(x)
'''
needs_nvcc = pytest.mark.skipif(toolkit.locate("nvcc") is None, reason="nvcc is not installed")


def inline(headers: str, kind: str, launch: str) -> str:
    return INLINE.replace("HEADERS", headers).replace("KIND", kind).replace("LAUNCH", launch)


@needs_nvcc
def test_an_answer_with_load_inline_is_compiled_without_the_headers_of_torch(place, capsys):
    (place / "answer.py").write_text(inline("#include <torch/extension.h>", "", "<<<x.size(0), 1>>>"))
    code, found = built(capsys, "answer.py", "--suite", "task.py")
    assert (code, found["failure"]) == (0, None), found["parts"][0]["log"]
    (part,) = found["parts"]
    assert part["kind"] == "load_inline.cuda" and part["tool"].startswith("nvcc")
    assert [kernel["name"] for kernel in part["kernels"]] == ["row_range"]
    assert part["seconds"] < 60


@needs_nvcc
def test_options_of_load_inline_may_ask_for_features_of_the_same_gpu(place, capsys):
    options = ["-O3", "-gencode=arch=compute_90a,code=sm_90a", "-Xcompiler", "-O2", "-arch=sm_80"]
    text = inline("", "", "<<<x.size(0), 1>>>").replace(
        "functions=", f"extra_cuda_cflags={options}, functions="
    )
    (place / "answer.py").write_text(text)
    code, found = built(capsys, "answer.py", "--suite", "task.py", "--arch", "sm_90")
    (part,) = found["parts"]
    assert (code, part["arch"]) == (0, "sm_90a"), part["log"]


@needs_nvcc
@pytest.mark.slow
@pytest.mark.exhaustive  # PyTorch's headers take 45 s of a processor
@pytest.mark.timeout(900)
def test_a_kernel_that_is_a_template_is_compiled_with_the_headers_of_torch(place, capsys):
    headers = "#include <torch/extension.h>\n#include <c10/cuda/CUDAStream.h>"
    (place / "answer.py").write_text(inline(headers, "template <int N>", "<4><<<x.size(0), 1>>>"))
    code, found = built(capsys, "answer.py", "--suite", "task.py")
    assert (code, found["failure"]) == (0, None), found["parts"][0]["log"][-3000:]
    ((kernel,),) = [part["kernels"] for part in found["parts"]]
    assert kernel["name"].startswith("row_range<")


@needs_nvcc
def test_a_header_that_is_not_there_is_told_in_a_sentence(place, capsys):
    (place / "answer.py").write_text(inline("#include <torch/nobody.h>", "template <int N>", "<4><<<1, 1>>>"))
    code, found = built(capsys, "answer.py", "--suite", "task.py")
    assert code == 1
    assert "torch/nobody.h is not here: it comes with a PyTorch for CUDA" in found["parts"][0]["log"]
