"""Answers for the tests of the static look: a build, and a model whose parts a test gives."""

import ast
import textwrap

from kernelopt.languages import Finding
from kernelopt.languages._inspect import inspect

HEAD = '''
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from kernelopt.inline import cpp, strided

lib = cpp(r"""
extern "C" void f(const float* x, float* y, int64_t n) {}
""")
'''
CALL = "y = torch.empty_like(x)\nlib.f(x, y, x.numel())\nreturn y"


def answer(forward: str = CALL, *, init: str = "pass", top: str = "", methods: str = "") -> str:
    """An answer whose `forward(self, x)` is given; `top` stands before the class."""
    lines = [HEAD, textwrap.dedent(top), "class ModelNew(nn.Module):", "    def __init__(self):"]
    lines += ["        super().__init__()", _indented(init, 8), "    def forward(self, x):"]
    return "\n".join([*lines, _indented(forward, 8), _indented(methods, 4)]) + "\n"


def native(code: str, *, includes: str = "") -> str:
    """An answer whose C++ function has this body."""
    text = f'{includes}\nextern "C" void f(const float* x, float* y, int64_t n) {{\n{code}\n}}\n'
    return answer().replace('extern "C" void f(const float* x, float* y, int64_t n) {}\n', text)


def beside(code: str) -> str:
    """An answer with C++ text of its own outside of the function."""
    return native("y[0] = x[0];", includes=code)


def extension(code: str) -> str:
    """An answer that is a torch extension."""
    return (
        "import torch\nfrom torch.utils.cpp_extension import load_inline\n"
        f'ext = load_inline("e", r"""#include <torch/extension.h>\n{code}""", functions=["f"])\n'
        "class ModelNew(torch.nn.Module):\n    def forward(self, x):\n        return ext.f(x)\n"
    )


def cuda_extension(code: str) -> str:
    """An answer that is a torch extension with CUDA sources."""
    declared = 'ext = load_inline("e", "torch::Tensor f(torch::Tensor x);", '
    return (
        "import torch\nfrom torch.utils.cpp_extension import load_inline\n"
        f'{declared}cuda_sources=r"""{code}""", functions=["f"])\n'
        "class ModelNew(torch.nn.Module):\n    def forward(self, x):\n        return ext.f(x)\n"
    )


def found(source: str, *, allow_libraries: bool = False) -> list[Finding]:
    """Findings that mark an answer suspect; a typo in a test must not pass as "no findings"."""
    ast.parse(source)
    return [each for each in inspect(source, allow_libraries=allow_libraries) if each.suspect]


def rules(source: str, *, allow_libraries: bool = False) -> set[str]:
    """Rules that an answer breaks."""
    return {each.rule for each in found(source, allow_libraries=allow_libraries)}


def _indented(text: str, width: int) -> str:
    return textwrap.indent(textwrap.dedent(text).strip(), " " * width)
