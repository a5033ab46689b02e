"""`load_inline` answers on PyTorch's stable interface: one build for all Pythons and PyTorches from some on.

The author's text stays; ``torch/extension.h`` becomes `templates/stable_extension.h`, which has the same
names for what simple kernels use, and the bindings become registered operators behind a Python module. What
uses anything else does not compile, and is built as it was written.

Kernels are hostile, and this build is not the one that was searched with: a text that could tell the two
apart is not converted.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path

from kernelopt.languages import BuildRequest
from kernelopt.languages._bindings import Block, rebound

HEADER = "stable_extension.h"
TORCH = "2.10"
"""The first PyTorch that has all that the header uses."""
PYTHON = "cp311"
"""Of the wheel's name: the first Python, as in the header's ``Py_LIMITED_API``."""

_INCLUDE = re.compile(
    r"#\s*include\s*[<\"](?:torch/(?:extension|torch|all|types)\.h|ATen/(?:ATen|Parallel)\.h)[>\"]"
)
_LEFT = re.compile(
    r"#\s*include\s*[<\"](?:torch|ATen|c10|caffe2|pybind11)/[^>\"\n]*[>\"]|#\s*include\s+[A-Za-z_]"
)
_TELLING = re.compile(
    r"\b(?:stable\w*|aoti\w*|headeronly|torch_\w+|STABLE_\w+|StableI\w+|kernels_\w+|kernels\s*::|TORCH_(?!CHECK\b)\w+"
    r"|Py[A-Z_]\w*|THP\w*)|##|%:|\\u|\\U|\?\?|__has_include|__COUNTER__|_Pragma"
)
"""What only one of the two builds knows, and ways to write a word without writing it."""
_CONDITION = re.compile(r"#\s*(?:if|ifdef|ifndef|elif|elifdef|elifndef)\b(.*)")
_HARMLESS = re.compile(
    r"(?:__AVX\w*|__SSE\w*|__FMA__|__F16C__|__BMI\w*|__ARM_\w+|__aarch64__|__x86_64__|__GNUC__|__clang__|_OPENMP"
    r"|NDEBUG|M_PI|defined|[\s()&|!<>=]|\d)*"
)
"""Conditions that are the same in both."""


def converted(request: BuildRequest) -> BuildRequest | str:
    """The same build on the stable interface; or why there is none, in a sentence."""
    if foreign := [name for name in request.sources if not name.endswith((".cpp", ".cc", ".cxx"))]:
        return f"it has a source {foreign[0]}"
    bare = rebound(request.sources, request.name, lambda *_: "")
    sources = rebound(request.sources, request.name, _operators)
    if sources is None or bare is None:
        return "it uses pybind11 itself"
    for text in (*bare.values(), " ".join([*request.cflags, *request.ldflags])):
        if reason := _objection(text):
            return reason
    # The header comes first, so that no macro of the author's gets into it.
    found = {name: f'#include "{HEADER}"\n{_INCLUDE.sub("", text)}' for name, text in sources.items()}
    if not any("KERNELS_MODULE" in text for text in found.values()):
        return "it binds no functions"
    return dataclasses.replace(request, sources={**found, HEADER: header()})


def header() -> str:
    """The text of `HEADER`."""
    return (Path(__file__).resolve().parent / "templates" / HEADER).read_text(encoding="utf-8")


def _objection(text: str) -> str:
    plain = text.replace("\\\n", "")
    if found := _TELLING.search(plain):
        return f"it mentions {found[0]}"
    if found := _LEFT.search(_INCLUDE.sub("", plain)):
        return f"it has {found[0]}"
    for condition in _CONDITION.finditer(plain):
        if not _HARMLESS.fullmatch(condition[1]):
            return f"it is compiled differently by {condition[0].strip()}"
    return ""


def _operators(block: Block, module: str) -> str:
    """On one line: functions as operators of a namespace of their own, and the module that leads to them."""
    name = module if block.module == "TORCH_EXTENSION_NAME" else block.module
    space = f"{name}_{hashlib.sha256(block.text.encode()).hexdigest()[:12]}"
    defined, implemented = [], []
    for function, python in block.functions:
        made = f"kernels::Function<&{function}>"
        defined.append(f'm.def({made}::schema("{python}").c_str());')
        implemented.append(f'm.impl("{python}", &{made}::boxed);')
    names = ", ".join(f'"{python}"' for _, python in block.functions)
    return (
        f"STABLE_TORCH_LIBRARY_FRAGMENT({space}, m) {{ {' '.join(defined)} }} "
        f"STABLE_TORCH_LIBRARY_IMPL({space}, CompositeExplicitAutograd, m) {{ {' '.join(implemented)} }} "
        f'KERNELS_MODULE("{name}", "{space}", {names}) '
        f"PyMODINIT_FUNC PyInit_{name}(void) {{ return kernels_module(); }}"
    )
