"""The text of a package's modules: what all packages have, and what is made out of its table."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from kernelopt.export import STABLE
from kernelopt.export.builds import build_record, files_of
from kernelopt.export.stable import TORCH

if TYPE_CHECKING:
    from kernelopt.export.package import Package

HERE = Path(__file__).resolve().parent
RUNTIME = ("gradients", "guards", "kernels", "modules", "native", "operators", "patching", "programs")
TITLES = {
    "_runtime": "What the operators need at run time.",
    "kernels": "The kernels, one module each, as they were written.",
    "references": "What each operator computes, in PyTorch.",
}
"""The package's packages and their docstrings."""


def template(file: str, /, **values: str) -> str:
    """A file of `templates/` with its ``$names`` filled in; unknown ones stay as they are."""
    text = (HERE / "templates" / f"{file}.txt").read_text(encoding="utf-8")
    return Template(text).safe_substitute(values)


def runtime(package: Package) -> None:
    """What is the same in every package, its imports renamed; and the native sources."""
    root = package.name
    for name, path in _ours(package).items():
        package.files[f"{root}/_runtime/{name}.py"] = renamed(path.read_text(encoding="utf-8"), root)
    for folder, title in TITLES.items():
        package.files[f"{root}/{folder}/__init__.py"] = f'"""{title}"""\n'
    records = []
    for library in package.libraries:
        sources = files_of(library)
        records.append(build_record(library, list(sources)))
        package.files.update({f"{root}/csrc/{name}": text for name, text in sources.items()})
    package.files[f"{root}/csrc/builds.json"] = json.dumps(records, indent=1) + "\n"


def _ours(package: Package) -> dict[str, Path]:
    """Modules of kernelopt that a package needs, each under its name there."""
    base = HERE.parent
    names = {**{name: HERE / "runtime" / f"{name}.py" for name in RUNTIME}, "inline": base / "inline.py"}
    ahead = any(library.request.kind == "cubin" for library in package.libraries)
    if ahead:
        names["device"] = HERE / "runtime" / "device.py"
    if ahead or any("inline_cuda" in text for text in package.files.values()):
        names["inline_cuda"] = base / "inline_cuda.py"
    return names


def renamed(text: str, root: str) -> str:
    """Our own modules' imports as they are in the package."""
    text = text.replace("kernelopt.export.runtime", f"{root}._runtime")
    text = re.sub(
        r"^from kernelopt import (inline\w*)", rf"from {root}._runtime import \1", text, flags=re.MULTILINE
    )
    return re.sub(r"\bkernelopt\.(inline\w*)", rf"{root}._runtime.\1", text)


def code(package: Package, names: Sequence[str]) -> None:
    """Everything that is generated: modules, tests, the build."""
    root = package.name
    title = f"{len(names)} operator{'s' * (len(names) != 1)} for PyTorch, optimised by kernelopt"
    common = {
        "package": root,
        "distribution": root.replace("_", "-"),
        "version": "0.1.0",
        "summary": title,
        "license": package.license,
        "march": package.march,
        "archs": " ".join(package.archs),
        "example": names[0],
    }
    functions = "".join(_function(package, name) for name in names)
    listed = "\n".join(f'    "{name}",' for name in names)
    package.files |= {
        "pyproject.toml": template(
            "pyproject.toml",
            **common,
            dependencies=_quoted(_needs(package)),
            building=_quoted(_tools(package)),
        ),
        "setup.py": template("setup.py", **common),
        f"{root}/__init__.py": template("init.py", **common, names=", ".join(names), listed=listed),
        f"{root}/operators.py": template("operators.py", **common, functions=functions),
        "tests/test_package.py": template("test_package.py", **common),
        f"{root}/table.json": json.dumps({"operators": package.table}, indent=1) + "\n",
    }


def _needs(package: Package) -> list[str]:
    """Distributions that the package's modules import."""
    kernels = [text for name, text in package.files.items() if name.startswith(f"{package.name}/kernels/")]
    words = {"triton": "triton>=3.2", "cupy": "cupy-cuda13x>=13.6", "numpy": "numpy"}
    found = [need for word, need in words.items() if any(_imports(text, word) for text in kernels)]
    own = f"{package.name}/_runtime/inline_cuda.py" in package.files
    return [_torch(package), *found, *(["cuda-bindings>=12.8", "nvidia-cuda-nvrtc>=12.8"] if own else [])]


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f'"{one}"' for one in words)


def _tools(package: Package) -> list[str]:
    """Distributions that the package is built with. Other C++ extensions need the PyTorch that is there."""
    kinds = {library.request.kind for library in package.libraries}
    stable = STABLE in kinds and "torch_extension" not in kinds
    return ["setuptools>=70.1", *([_torch(package)] if stable else [])]


def _torch(package: Package) -> str:
    stable = any(library.request.kind == STABLE for library in package.libraries)
    return f"torch>={TORCH if stable else '2.6'}"


def _imports(text: str, word: str) -> bool:
    return bool(re.search(rf"^\s*(import|from) {word}\b", text, re.MULTILINE))


def _function(package: Package, name: str) -> str:
    record = package.table[name]
    types = [
        (one["name"], "torch.Tensor" if one["kind"] == "tensor" else type(one["value"]).__name__)
        for one in record["inputs"]
    ]
    types += [(one["name"], "torch.Tensor") for one in record["state"]]
    tensors = ", ".join(["torch.Tensor"] * record["outputs"])
    free = [
        f"{size} {low} to {high}"
        for kernel in record["kernels"]
        for size, (low, high) in kernel["domain"]["sizes"].items()
    ]
    values = {
        "name": name,
        "package": package.name,
        "parameters": ", ".join(f"{argument}: {kind}" for argument, kind in types),
        "arguments": ", ".join(argument for argument, _ in types),
        "result": tensors if record["outputs"] == 1 else f"tuple[{tensors}]",
        "title": record["title"].rstrip(".") + ".",
        "task": record["task"],
        "shapes": f"Verified: {', '.join(free)}." if free else "Verified for the measured shapes only.",
    }
    triton = any(kernel.get("triton") for kernel in record["kernels"])
    return template("function", **values) + (template("triton_function", **values) if triton else "")
