"""Functions of an extension, callable without pybind11: the same promises, in a third of the build time."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.languages import BuildRequest
from kernelopt.languages._artifact import inspect_artifact
from kernelopt.languages._bindings import without_pybind11
from kernelopt.languages._tools import HostTools
from kernelopt.languages._torch_extension import build_torch_extension
from kernelopt.resources import folder

HEADER = "#include <torch/extension.h>\n"
BLOCK = r"""PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
m.def("f", torch::wrap_pybind_function(f), "says \"f\"");
}"""
SOURCE = r"""
at::Tensor scaled(
    torch::Tensor x, double by, int64_t plus, c10::optional<at::Tensor> more, std::vector<int> sizes) {
  TORCH_CHECK(x.dim() > 0, "x needs a dimension");
  auto y = x * by + plus;
  return more ? y + *more : y + static_cast<int64_t>(sizes.size());
}
std::tuple<at::Tensor, double, std::vector<int64_t>> in_place(
    at::Tensor& x, bool twice, const std::string& text) {
  x.mul_(twice ? 4 : 2);
  return {x, 2.5, x.sizes().vec()};
}
void nothing(at::IntArrayRef sizes, uint8_t small) {}
at::Tensor undefined() { return at::Tensor(); }
"""
FUNCTIONS = ["scaled", "in_place", "nothing", "undefined"]


def test_what_load_inline_generates_is_replaced_and_lines_above_stay():
    changed = without_pybind11({"main.cpp": f"{HEADER}int f();\n{BLOCK}"}, "mine")
    text = changed["main.cpp"]
    assert text.startswith(f"{HEADER}int f();\n")
    assert "PYBIND11_MODULE" not in text
    assert 'kernelopt::method<f>("f", "says \\"f\\"")' in text
    assert "PyInit_mine(void)" in text


def test_a_library_of_operators_needs_no_bindings():
    sources = {"main.cpp": f"{HEADER}TORCH_LIBRARY(mine, m) {{ }}"}
    assert without_pybind11(sources, "mine") == sources


WRITTEN = """PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
    // what Python sees
    m.def("forward", &f, "the forward pass "
          "(CPU)");
    m.def("g", g);
}
int after;"""


def test_what_authors_write_is_replaced_too_and_no_other_line_moves():
    text = without_pybind11({"main.cpp": f"{HEADER}{WRITTEN}"}, "mine")["main.cpp"]
    assert 'kernelopt::method<f>("forward", "the forward pass "           "(CPU)"' in text
    assert 'kernelopt::method<g>("g", "")' in text
    assert text.split("\n").index("int after;") == f"{HEADER}{WRITTEN}".split("\n").index("int after;")


@pytest.mark.parametrize(
    "text",
    [
        f'{HEADER}PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {{ m.def("f", &f, py::arg("x")); }}',
        f'{HEADER}PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {{ m.def("f", [](int x) {{ return x; }}); }}',
        f'{HEADER}PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {{ m.attr("n") = 3; m.def("f", &f); }}',
        f"{HEADER}py::object f(py::list x);\n{BLOCK}",
        f"{HEADER}#include <torch/csrc/autograd/python_variable.h>\n{BLOCK}",
    ],
)
def test_who_uses_more_of_pybind11_keeps_it(text: str):
    assert without_pybind11({"main.cpp": text}, "mine") is None


@given(st.text(alphabet='PYBIND1_MODULE(m,) {}.def"f&\\n/;', max_size=200))
def test_no_text_is_too_odd(text: str):
    without_pybind11({"main.cpp": text}, "mine")


@pytest.fixture(scope="module")
def module(torch_cache: Path):
    spec = importlib.util.spec_from_file_location("routing_for_bindings", folder("sandbox") / "routing.py")
    routing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(routing)
    options = {"name": "bound", "cpp_sources": SOURCE, "functions": FUNCTIONS, "extra_cflags": ["-O1"]}
    reply = build_torch_extension(
        BuildRequest(**routing.inline_request(options)), torch_cache, 200.0, HostTools()
    )
    assert reply.ok, reply.log
    assert "bindings.o" in reply.command.split()
    assert "library" not in {finding.rule for finding in inspect_artifact(Path(reply.path))}
    yield routing.import_built("bound", reply.path, {})
    sys.modules.pop("bound", None)


@pytest.mark.slow
class TestCalls:
    def test_arguments_arrive_as_pybind11_would_convert_them(self, module):
        x = torch.ones(3)
        assert module.scaled(x, 2, True, None, (1, 2)).tolist() == [5.0] * 3
        assert module.scaled(x, 2.5, torch.tensor(3), x, []).tolist() == [6.5] * 3
        assert module.nothing([1, 2], 255) is None

    def test_results_of_every_kind_come_back(self, module):
        x = torch.ones(2, 3)
        tensor, number, sizes = module.in_place(x, False, "text")
        assert tensor is x
        assert (x.flatten().tolist(), number, sizes) == ([2.0] * 6, 2.5, [2, 3])
        assert module.undefined() is None

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ((torch.ones(1), 2, 1.5, None, []), "argument 3 is of type float where int is wanted"),
            ((None, 2, 1, None, []), "argument 1 is of type NoneType where torch.Tensor is wanted"),
            ((torch.ones(1), "2", 1, None, []), "argument 2 is of type str where float is wanted"),
            ((torch.ones(1), 2, 2**70, None, []), "argument 3 is of type int where int is wanted"),
            ((torch.ones(1), 2, 1, 5, []), "argument 4 is of type int where torch.Tensor or None is wanted"),
            (
                (torch.ones(1), 2, 1, None, "12"),
                "argument 5 is of type str where a sequence of int is wanted",
            ),
            ((torch.ones(1),), "1 given, 5 wanted"),
        ],
    )
    def test_what_does_not_fit_is_a_type_error(self, wrong, words, module):
        with pytest.raises(TypeError, match=f"incompatible function arguments: {words}"):
            module.scaled(*wrong)

    def test_a_small_integer_does_not_wrap_around(self, module):
        with pytest.raises(TypeError, match="argument 2"):
            module.nothing([], 256)

    def test_errors_of_torch_arrive_as_in_python(self, module):
        with pytest.raises(RuntimeError, match="x needs a dimension"):
            module.scaled(torch.tensor(1.0), 1, 1, None, [])
        with pytest.raises(RuntimeError, match="must match the size"):
            module.scaled(torch.ones(3), 1, 1, torch.ones(2), [])
