"""Bindings without pybind11: which sources can do with those of ``_bindings.h``, and what they become."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FUNCTION = r'm\.def\("(\w+)", torch::wrap_pybind_function\((\w+)\), ("(?:[^"\\\n]|\\[\\n"])*")\);\n'
_BLOCK = re.compile(
    rf"^PYBIND11_MODULE\(TORCH_EXTENSION_NAME, m\) \{{\n((?:{_FUNCTION})+)\}}\s*\Z", re.MULTILINE
)
"""What `load_inline` writes for ``functions=[...]``, at the end of the text."""
_LEFT_TO_PYBIND11 = re.compile(r"\b(py|pybind11)\b|PYBIND11_|torch/csrc|torch/python")


def without_pybind11(sources: Mapping[str, str], module: str) -> dict[str, str] | None:
    """`sources` with bindings of our own, no line above them changed; None if they use pybind11 themselves.

    Args:
        sources: Text by file name.
        module: Name of the Python module to be built.
    """
    if any(_LEFT_TO_PYBIND11.search(_BLOCK.sub("", text)) for text in sources.values()):
        return None
    return {name: _BLOCK.sub(lambda found: _bound(found[1], module), text) for name, text in sources.items()}


def _bound(functions: str, module: str) -> str:
    entries = "\n".join(
        f'    kernelopt::method<{target}>("{name}", {text}),'
        for name, target, text in re.findall(_FUNCTION, functions)
    )
    return f"""static PyMethodDef kernelopt_methods[] = {{
{entries}
    {{nullptr, nullptr, 0, nullptr}}}};
static PyModuleDef kernelopt_module = {{
    PyModuleDef_HEAD_INIT, "{module}", nullptr, -1, kernelopt_methods, nullptr, nullptr, nullptr, nullptr}};
PyMODINIT_FUNC PyInit_{module}(void) {{ return PyModule_Create(&kernelopt_module); }}
"""
