"""`load_inline` answers on PyTorch's stable interface: which are converted, and that one wheel serves all."""

import dataclasses
import json
import os
import sys
import zipfile

import exported
import pytest

from kernelopt.errors import UsageError
from kernelopt.export import STABLE, Examined, Winner, package
from kernelopt.export.shipping import Shipping
from kernelopt.export.stable import HEADER, converted, header
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding
from kernelopt.languages._gxx import find

CPP = r"""
#include <ATen/Parallel.h>
#include <vector>
torch::Tensor affine_relu(torch::Tensor x, const at::Tensor& scale, torch::Tensor shift) {
    TORCH_CHECK(x.dim() == 2 && x.is_contiguous(), "x must be a contiguous matrix");
    TORCH_CHECK(x.dtype() == torch::kFloat32);
    auto y = torch::empty({x.size(0), x.size(1)}, x.options());
    const float *from = x.data_ptr<float>(), *s = scale.data_ptr<float>(), *t = shift.data_ptr<float>();
    float* to = y.data_ptr<float>();
    int64_t cols = x.size(1);
    at::parallel_for(0, x.size(0), 1, [&](int64_t first, int64_t last) {
        for (int64_t i = first * cols; i < last * cols; ++i)
            to[i] = std::max(from[i] * s[i % cols] + t[i % cols], 0.0f);
    });
    return y;
}
std::vector<torch::Tensor> parts(const std::vector<at::Tensor>& given, double factor, int64_t n, bool flip,
                                 std::optional<torch::Tensor> more) {
    auto zeros = torch::zeros_like(given[0]);
    return {zeros, torch::ones({n, 2}), torch::full({2}, flip ? -factor : factor), more ? *more : zeros};
}
void fill(torch::Tensor x) { x.zero_(); }
std::tuple<torch::Tensor, torch::Tensor> twice(torch::Tensor x) { return {x.clone(), x.view({-1})}; }
"""
FUNCTIONS = ("affine_relu", "parts", "fill", "twice")
BOUND = "".join(f'm.def("{name}", torch::wrap_pybind_function({name}), "{name}");\n' for name in FUNCTIONS)
SOURCE = f"#include <torch/extension.h>\n{CPP}\nPYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {{\n{BOUND}}}"
REQUEST = BuildRequest("torch_extension", "affine", {"main.cpp": SOURCE}, ["-O3"], [])
ANSWER = f'''
import torch
from torch import nn
from torch.utils.cpp_extension import load_inline
lib = load_inline("affine", r"""{CPP}""", functions={FUNCTIONS!r}, extra_cflags=["-O3"])


class ModelNew(nn.Module):
    def __init__(self, cols):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(cols))
        self.shift = nn.Parameter(torch.ones(cols))

    def forward(self, x):
        return lib.affine_relu(x, self.scale, self.shift)
'''


def examined(kind=STABLE, **changes):
    winner = Winner(exported.task(), Kernel.from_source(ANSWER, "cpp"))
    request = dataclasses.replace(REQUEST, kind=kind)
    return Examined(winner, exported.evaluation(), (request,), exported.examined().variants, **changes)


def with_text(text):
    return dataclasses.replace(REQUEST, sources={"main.cpp": SOURCE.replace("#include <vector>", text)})


def test_the_authors_text_stays_and_header_and_bindings_change():
    made = converted(REQUEST)
    assert set(made.sources) == {"main.cpp", HEADER} and made.sources[HEADER] == header()
    text = made.sources["main.cpp"]
    assert text.startswith(f'#include "{HEADER}"') and "torch/extension.h" not in text
    assert "PYBIND11" not in text and "PyInit_affine" in text and 'm.impl("parts"' in text
    assert "    to[i] = std::max(from[i] * s[i % cols] + t[i % cols], 0.0f);" in text
    assert converted(REQUEST) == made  # the package writes what the judge built


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#include <ATen/native/cpu/utils.h>", "it has #include <ATen/native"),
        ("#include <c10/util/Exception.h>", "it has #include <c10/"),
        ("#define H <torch/nn.h>\n#include H", "it has #include H"),
        ("py::object o;", "pybind11 itself"),
        ("TORCH_LIBRARY(x, m) {}", "mentions TORCH_LIBRARY"),
        ("#ifdef TORCH_TARGET_VERSION\n#endif", "mentions TORCH_TARGET_VERSION"),
        ("#ifdef SOMETHING\n#endif", "compiled differently by #ifdef SOMETHING"),
        ("torch::sta\\\nble::matmul(x, x);", "mentions stable"),
        ("aoti_torch_call_dispatcher(0, 0, 0);", "mentions aoti_torch_call_dispatcher"),
        ("#define J(a, b) a##b", "mentions ##"),
        ("#define J(a, b) a%:%:b", "mentions %:"),
        ("int st\\u0061ble;", "mentions \\\\u"),
        ("kernels::Tensor t;", "mentions kernels::"),
        ("int x = t.kernels_inner();", "mentions kernels_inner"),
        ("#if __has_include(<vector>)\n#endif", "mentions __has_include"),
    ],
)
def test_a_text_that_could_tell_the_builds_apart_is_not_converted(text, reason):
    assert isinstance(made := converted(with_text(text)), str)
    assert reason.replace("\\\\", "\\") in made


@pytest.mark.parametrize(
    "text", ["#ifdef __AVX2__\n#endif", "#if defined(_OPENMP) && __GNUC__ >= 12\n#endif"]
)
def test_conditions_on_the_processor_are_fine(text):
    assert not isinstance(converted(with_text(text)), str)


def test_other_sources_flags_and_modules_are_not_converted():
    assert "cuda.cu" in converted(dataclasses.replace(REQUEST, sources={**REQUEST.sources, "cuda.cu": ""}))
    assert "it mentions stable" in converted(dataclasses.replace(REQUEST, cflags=["-DX=stable"]))
    nothing = dataclasses.replace(REQUEST, sources={"main.cpp": CPP})
    assert converted(nothing) == "it binds no functions"


# --- What is tried, and what is said ----------------------------------------------------------------------


class Language:
    """Builds what has a word in it; an artifact of it imports some things."""

    name, device = "cpp", "cpu"

    def __init__(self, word):
        self.word = word

    def build(self, request, cache, timeout_s, tools):
        ok = any(self.word in text for text in request.sources.values())
        return BuildReply(ok, "built.so" if ok else "", "" if ok else "x.cpp:1:2: error: no such thing\n")

    def inspect_artifact(self, path, *, allow_libraries=False):
        said = ("what was built imports aoti_torch_empty, which", "what was built imports dlopen, which")
        return [Finding("library", one) for one in said]


def test_the_stable_interface_is_tried_first(tmp_path):
    shipping = Shipping(Language(HEADER), "native")
    assert shipping.build(REQUEST, tmp_path, 1.0, None).ok
    assert [one.kind for one in shipping.shipped()] == [STABLE] and shipping.unstable == ""
    assert [one.message.split()[4] for one in shipping.inspect_artifact("built.so")] == ["dlopen,"]
    assert len(shipping.inspect_artifact("other.so")) == 2


def test_what_does_not_build_there_is_built_as_it_was_written_and_why_is_said(tmp_path):
    shipping = Shipping(Language("PYBIND11_MODULE"), "native")
    assert shipping.build(REQUEST, tmp_path, 1.0, None).ok
    assert [one.kind for one in shipping.shipped()] == ["torch_extension"]
    assert shipping.unstable == "the stable interface lacks something: no such thing"
    made = package.build([examined("torch_extension", unstable=shipping.unstable)], "pkg", "x86-64-v2")
    said = f"torch/extension.h, of one Python and one PyTorch: {shipping.unstable}"
    assert made.claims[0]["interface"] == said and said in made.files["README.md"]
    assert "torch>=2.6" in made.files["pyproject.toml"] and "--no-build-isolation" in made.files["README.md"]


def test_what_cannot_be_converted_is_not_written_as_if_it_were():
    bad = dataclasses.replace(with_text("py::object o;"), kind=STABLE)
    with pytest.raises(UsageError, match="pybind11 itself"):
        package.build([dataclasses.replace(examined(), requests=(bad,))], "pkg", "x86-64-v2")


USE = """
import sys, torch
sys.modules["kernelopt"] = None
import stable_affine as package
from stable_affine._runtime.native import library
package.configure(strict=True)
x, scale, shift = torch.randn(5, 12), torch.rand(12), torch.randn(12)
torch.testing.assert_close(package.affine_relu(x, scale, shift), torch.relu(x * scale + shift))
torch.library.opcheck(torch.ops.stable_affine.affine_relu.default, (x, scale, shift))
lib = library("affine_relu_0")
zeros, ones, full, more = lib.parts([x], 2.5, 3, True, None)
assert zeros.shape == x.shape and not zeros.any() and ones.shape == (3, 2) and full.tolist() == [-2.5, -2.5]
assert torch.equal(lib.parts([x], 2.5, 3, False, scale)[3], scale)
copy, flat = lib.twice(x)
assert torch.equal(copy, x) and flat.shape == (60,)
lib.fill(copy)
assert not copy.any() and x.any()
for wrong in (x.double(), x.t()):
    try:
        lib.affine_relu(wrong, scale, shift)
    except RuntimeError as problem:
        assert "float32" in str(problem).lower() or "contiguous" in str(problem), problem
    else:
        raise AssertionError
print("all of it")
"""


@pytest.mark.skipif(find() is None, reason="g++ was not found")
def test_one_wheel_serves_every_python_from_311_on(tmp_path):
    written = package.build([examined()], "stable_affine", "x86-64-v2")
    assert written.claims[0]["interface"].startswith("PyTorch's stable interface")
    assert 'requires = ["setuptools>=70.1", "torch>=2.10"]' in written.files["pyproject.toml"]
    package.write(written, tmp_path / "source")
    name = exported.installed(tmp_path / "source", tmp_path / "site")
    assert name.startswith("stable_affine-0.1.0-cp311-abi3-linux")
    with zipfile.ZipFile(tmp_path / "wheels" / name) as wheel:
        built = wheel.read("stable_affine/lib/affine_relu_0.so")
        assert json.loads(wheel.read("stable_affine/csrc/builds.json"))[0]["kind"] == STABLE
    assert b"pybind11" not in built and b"libtorch_python" not in built and b"THPVariable" not in built
    place = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    assert "all of it" in exported.run([sys.executable, "-c", USE], cwd=tmp_path, env=place)
