"""The worker's side of native builds: PyTorch's own functions, asking the judge instead of a compiler."""

import dataclasses
import importlib.util
import json
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch.utils import cpp_extension

from kernelopt import inline
from kernelopt.languages import BuildRequest
from kernelopt.languages._tools import HostTools
from kernelopt.languages.cpp import PLUGIN
from kernelopt.resources import folder

ROUTING = folder("sandbox") / "routing.py"
PLAIN_MODULE = r"""
#include <Python.h>
static PyObject* answer(PyObject*, PyObject*) { return PyLong_FromLong(ANSWER); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {nullptr, nullptr, 0, nullptr}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "plain", "", -1, methods};
PyMODINIT_FUNC PyInit_plain() { return PyModule_Create(&definition); }
"""


@pytest.fixture
def routing(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    for name in ("load", "load_inline"):
        monkeypatch.setattr(cpp_extension, name, getattr(cpp_extension, name))
    spec = importlib.util.spec_from_file_location("routing_under_test", ROUTING)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    inline.set_builder(None)


@pytest.fixture
def asked(routing, tmp_path) -> list[dict]:
    """Requests that were made, each served by the real language through JSON text."""
    requests: list[dict] = []

    def ask(request: dict) -> dict:
        requests.append(json.loads(json.dumps(request)))
        reply = PLUGIN().build(BuildRequest(**requests[-1]), tmp_path / "cache", 60.0, HostTools())
        return json.loads(json.dumps(dataclasses.asdict(reply)))

    routing.install(ask)
    return requests


@pytest.mark.parametrize(
    "options",
    [
        {"functions": ["f", "g"]},
        {"functions": {"f": "says f"}, "with_pytorch_error_handling": False},
        {"functions": "f"},
        {"no_implicit_headers": True},
        {},
    ],
)
@pytest.mark.parametrize("sources", ["int f();", ["int f();", "int g();"]])
def test_the_text_is_the_one_that_pytorch_would_compile(options, sources, routing, tmp_path, monkeypatch):
    monkeypatch.setattr(cpp_extension, "_jit_compile", lambda *args, **kwargs: None)
    copy = list(sources) if isinstance(sources, list) else sources
    cpp_extension.load_inline("mine", copy, build_directory=str(tmp_path), **options)
    ours = routing.inline_request({"name": "mine", "cpp_sources": sources, **options})
    assert ours["sources"] == {"main.cpp": (tmp_path / "main.cpp").read_text()}
    assert "device_cflags" not in ours


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("cuda", ["__global__ void k() {}", ["__global__ void k() {}", "void f() {}"]])
def test_cuda_text_is_the_one_that_pytorch_would_compile(bare, cuda, routing, tmp_path, monkeypatch):
    monkeypatch.setattr(cpp_extension, "_jit_compile", lambda *args, **kwargs: None)
    copy = list(cuda) if isinstance(cuda, list) else cuda
    options = {"no_implicit_headers": bare, "functions": ["f"]}
    cpp_extension.load_inline("mine", "void f();", copy, build_directory=str(tmp_path), **options)
    ours = routing.inline_request(
        {"name": "mine", "cpp_sources": "void f();", "cuda_sources": cuda, **options}
    )
    assert ours["sources"] == {name: (tmp_path / name).read_text() for name in ("main.cpp", "cuda.cu")}


def test_cuda_text_is_built_for_the_gpu_that_is_there(routing, monkeypatch):
    options = {"name": "m", "cpp_sources": "", "cuda_sources": "__global__ void k() {}"}
    assert routing.inline_request(options)["device_cflags"] == []
    monkeypatch.setattr(cpp_extension.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(cpp_extension.torch.cuda, "get_device_capability", lambda: (9, 0))
    asked = routing.inline_request({**options, "extra_cuda_cflags": ["-O3", "--use_fast_math"]})
    assert asked["device_cflags"] == ["--gpu-architecture=sm_90", "-O3", "--use_fast_math"]


def test_load_inline_builds_and_imports_through_the_judge(asked):
    module = cpp_extension.load_inline(
        "plain",
        PLAIN_MODULE,
        no_implicit_headers=True,
        extra_cflags=["-O1 -DANSWER=42"],
        extra_ldflags=["-lm"],
    )
    assert module.answer() == 42
    assert asked == [
        {
            "kind": "torch_extension",
            "name": "plain",
            "sources": {"main.cpp": PLAIN_MODULE},
            "cflags": ["-O1 -DANSWER=42"],
            "ldflags": ["-lm"],
        }
    ]


def test_another_build_of_the_same_name_is_another_module(asked):
    def answer(flag: str) -> int:
        return cpp_extension.load_inline(
            name="plain", cpp_sources=[PLAIN_MODULE], no_implicit_headers=True, extra_cflags=[flag]
        ).answer()

    assert [answer("-DANSWER=1"), answer("-DANSWER=2"), answer("-DANSWER=1")] == [1, 2, 1]


def test_load_reads_files_and_the_headers_beside_them(asked, tmp_path):
    (tmp_path / "plain.cpp").write_text('#include "number.h"\n' + PLAIN_MODULE)
    (tmp_path / "number.h").write_text("#define ANSWER 7\n")
    assert cpp_extension.load("plain", str(tmp_path / "plain.cpp")).answer() == 7
    assert set(asked[0]["sources"]) == {"plain.cpp", "number.h"}


def test_load_reads_cuda_headers_beside_cuda_files(routing, tmp_path):
    for name in ("k.cu", "k.cuh", "bind.cpp", "k.h"):
        (tmp_path / name).write_text(f"// {name}\n")
    both = [str(tmp_path / "k.cu"), str(tmp_path / "bind.cpp")]
    asked = routing.files_request({"name": "m", "sources": both})
    assert asked["sources"] == {name: f"// {name}\n" for name in ("k.cu", "bind.cpp", "k.h", "k.cuh")}
    assert "k.cuh" not in routing.files_request({"name": "m", "sources": both[1:]})["sources"]


def test_inline_goes_the_same_way(asked):
    assert inline.cpp('extern "C" int f() { return 3; }').f() == 3
    assert asked[0]["kind"] == "shared"


def test_a_failed_build_is_a_runtime_error_with_the_log(asked):
    with pytest.raises(
        RuntimeError, match=r"(?s)Error building extension 'plain'.*'ANSWER' was not declared"
    ) as caught:
        cpp_extension.load_inline("plain", PLAIN_MODULE, no_implicit_headers=True)
    assert caught.value.is_build_error
    with pytest.raises(RuntimeError, match="'nothing' was not declared") as caught:
        inline.cpp('extern "C" void f() { nothing(); }')
    assert caught.value.is_build_error


def test_cuda_sources_are_refused_clearly(asked):
    with pytest.raises(RuntimeError, match="CUDA source, and this build is for the CPU"):
        cpp_extension.load_inline("mine", "int f();", cuda_sources="__global__ void k() {}", functions=["f"])


def test_what_cannot_be_honoured_is_said(asked, tmp_path):
    with pytest.raises(RuntimeError, match="extra_include_paths is not supported"):
        cpp_extension.load_inline("mine", "int f();", extra_include_paths=["/elsewhere"])
    with pytest.raises(RuntimeError, match="standalone"):
        cpp_extension.load("mine", [], is_standalone=True)
    assert asked == []


def test_paths_that_pytorch_adds_anyway_are_accepted(routing):
    options = {"name": "m", "cpp_sources": "", "extra_include_paths": cpp_extension.include_paths()}
    assert routing.inline_request(options)["name"] == "m"


def test_installing_twice_asks_once(routing):
    first, second = [], []
    for calls in (first, second):
        routing.install(lambda request, calls=calls: calls.append(request) or {"ok": False, "log": ""})
    with pytest.raises(RuntimeError):
        cpp_extension.load_inline("mine", "")
    assert (len(first), len(second)) == (0, 1)


def test_importing_the_module_imports_nothing_heavy():
    place = str(ROUTING.parent)
    code = f"import sys; sys.path.insert(0, {place!r}); import routing; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


WORKER = r"""
import dataclasses, sys
from pathlib import Path
import torch
sys.path.insert(0, sys.argv[1])
import routing
from kernelopt.languages import BuildRequest
from kernelopt.languages._tools import HostTools
from kernelopt.languages.cpp import PLUGIN

replies = []
def ask(request):
    replies.append(PLUGIN().build(BuildRequest(**request), Path(sys.argv[2]), 120.0, HostTools()))
    return dataclasses.asdict(replies[-1])

routing.install(ask)
from torch.utils.cpp_extension import load_inline

TEXT = '''
torch::Tensor scale(torch::Tensor x, double factor) {
    TORCH_CHECK(x.is_contiguous(), "x must be contiguous");
    auto y = torch::empty_like(x);
    const float* a = x.data_ptr<float>();
    float* b = y.data_ptr<float>();
    at::parallel_for(0, x.numel(), 1024, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) b[i] = a[i] * (float)factor;
    });
    return y;
}
std::vector<torch::Tensor> twice(const std::optional<torch::Tensor>& x) { return {*x, *x}; }
'''
def build(text, **more):
    return load_inline(name="scale_ext", cpp_sources=text, functions=["scale", "twice"], **more)

for _ in range(2):
    module = build(TEXT, extra_cflags=["-O1"])
x = torch.randn(5000)
assert torch.equal(module.scale(x, 2.0), x * 2)
assert len(module.twice(x)) == 2
try:
    module.scale(x[::2], 2.0)
except RuntimeError as error:
    assert "x must be contiguous" in str(error)
assert [reply.cached for reply in replies] == [False, True]
try:
    build(TEXT.replace("float* b", "flot* b"), extra_cflags=["-O1"])
except RuntimeError as error:
    assert "main.cpp:7:5: error: 'flot' was not declared" in str(error), error
assert not replies[-1].ok
headers = list(Path(sys.argv[2]).rglob("*.gch"))
assert len(headers) == 1, "a plain mistake must not make the full header"
print(replies[0].seconds)
"""


@pytest.mark.slow
def test_load_inline_of_a_real_extension(torch_cache: Path):
    """Precompiles PyTorch's light header first: half a minute, once a session."""
    command = [sys.executable, "-c", WORKER, str(ROUTING.parent), str(torch_cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0
