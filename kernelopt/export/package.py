"""Examined winners → a Python package that stands alone."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template
from typing import Any

import kernelopt
from kernelopt.errors import UsageError
from kernelopt.export import OWN, UNTRIED, Examined
from kernelopt.export.apart import Library, take_apart
from kernelopt.export.measurement import claim, measurement
from kernelopt.export.naming import operator_name, package_name, sentence
from kernelopt.export.outline import Outline, outline
from kernelopt.export.readme import readme
from kernelopt.export.sweep import domain
from kernelopt.suites._constants import constants

HERE = Path(__file__).resolve().parent
RUNTIME = ("gradients", "guards", "kernels", "modules", "native", "operators", "patching")
LICENSE = "Apache-2.0"
_LICENSES = re.compile(r"[A-Za-z0-9.+ ()-]{1,100}")


@dataclass(slots=True)
class Operator:
    """One operator while the package is put together."""

    name: str
    definition: str
    outline: Outline
    members: list[Examined] = field(default_factory=list)


@dataclass(slots=True)
class Package:
    """All files of a package, as text, before any is written."""

    name: str
    march: str
    license: str = LICENSE
    files: dict[str, str] = field(default_factory=dict)
    libraries: list[Library] = field(default_factory=list)
    table: dict[str, Any] = field(default_factory=dict)
    claims: list[dict[str, Any]] = field(default_factory=list)


def build(examined: Sequence[Examined], name: str, march: str, license_: str = LICENSE) -> Package:
    """The package of these winners, none of which is refused.

    Raises:
        UsageError: a name, a licence or a kernel that cannot be used.
    """
    if not _LICENSES.fullmatch(license_):
        raise UsageError(f"--license {license_!r} is no SPDX expression")
    package = Package(package_name(name), march, license_)
    operators = _operators(examined)
    for operator in operators:
        package.table[operator.name] = _record(package, operator)
    _static(package)
    _code(package, operators)
    readme(package)
    return package


def write(package: Package, folder: Path, *, force: bool = False) -> None:
    """Put all files into `folder`.

    Raises:
        UsageError: it holds something else.
    """
    if folder.exists() and any(folder.iterdir()):
        ours = next(folder.glob("*/measurement.json"), None)
        if not force or ours is None:
            raise UsageError(f"{folder} is not empty; choose another --out, or --force for an older package")
        shutil.rmtree(folder)
    for name, text in sorted(package.files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def template(file: str, /, **values: str) -> str:
    """A file of `templates/` with its ``$names`` filled in; unknown ones stay as they are."""
    text = (HERE / "templates" / f"{file}.txt").read_text(encoding="utf-8")
    return Template(text).safe_substitute(values)


def _operators(examined: Sequence[Examined]) -> list[Operator]:
    """Winners by what they compute: tasks that differ in their inputs' sizes share an operator."""
    found: dict[str, Operator] = {}
    for one in examined:
        task, shape = one.winner.task, outline(one.winner.task)
        key = _definition(task.source, shape)
        if key not in found:
            taken = {operator.name for operator in found.values()}
            found[key] = Operator(operator_name(task, taken), key, shape)
        found[key].members.append(one)
    return list(found.values())


def _definition(source: str, shape: Outline) -> str:
    """All of a task's text that says what it computes, its sizes left out."""
    tree = ast.parse(source)
    literals = set(constants(source))
    used = {
        node.id
        for part in tree.body
        if isinstance(part, ast.ClassDef)
        for node in ast.walk(part)
        if isinstance(node, ast.Name)
    }
    kept = []
    for node in tree.body:
        names = {target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)}
        sizes = names and names <= literals - used
        made = isinstance(node, ast.FunctionDef) and node.name in ("get_inputs", "get_init_inputs")
        if not (sizes or made or isinstance(node, ast.Expr)):
            kept.append(ast.unparse(node))
    ranks = [(one.name, one.dtype, one.shape and len(one.shape), one.value) for one in shape.inputs]
    return "\n".join([*kept, repr(ranks), repr(shape.state), shape.init])


def _record(package: Package, operator: Operator) -> dict[str, Any]:
    """An operator's part of the table, and the files of its kernels."""
    root, first, shape = package.name, operator.members[0].winner.task, operator.outline
    package.files[f"{root}/references/{operator.name}.py"] = first.source
    kernels = []
    for number, one in enumerate(operator.members):
        module = operator.name if number == 0 else f"{operator.name}_{number + 1}"
        kernels.append(_kernel(package, one, operator.name, module))
    inputs = [
        {"name": a.name, "kind": "number", "value": a.value}
        if a.shape is None
        else {"name": a.name, "kind": "tensor", "dtype": a.dtype, "example": list(a.shape)}
        for a in shape.inputs
    ]
    state = [
        {"name": a.name, "path": a.path, "dtype": a.dtype, "shape": list(a.shape or ())} for a in shape.state
    ]
    return {
        "task": first.id,
        "title": sentence(ast.get_docstring(ast.parse(first.source)) or first.name),
        "schema": schema(shape),
        "reference": f"references.{operator.name}",
        "inputs": inputs,
        "state": state,
        "outputs": shape.outputs,
        "autocast": autocast(shape),
        "kernels": kernels,
    }


def _kernel(package: Package, one: Examined, operator: str, module: str) -> dict[str, Any]:
    from kernelopt.export.gpu import gpu_kernel

    winner, root = one.winner, package.name
    if winner.kernel.language == "cpp":
        apart = take_apart(winner.kernel.source, one.requests, module, root)
        package.libraries += apart.libraries
        text, device = apart.text, "cpu"
    else:
        text, device = gpu_kernel(winner.kernel, module, root), "cuda"
    package.files[f"{root}/kernels/{module}.py"] = text
    package.files[f"answers/{module}.py"] = winner.kernel.source
    package.files[f"answers/{module}.task.py"] = winner.task.source
    package.claims.append(claim(one, operator, module))
    return {
        "module": f"kernels.{module}",
        "device": device,
        "task": winner.task.id,
        **_domains(one),
        **({"triton": True} if "wrap_triton(" in text else {}),
    }


def _domains(one: Examined) -> dict[str, Any]:
    """Where a kernel was verified, and where its own gradients were."""
    base, ran = outline(one.winner.task), one.evaluation is not None
    found = {"domain": domain(base, one.variants, ran=ran)}
    if one.backward not in (OWN, UNTRIED):
        return found
    wrong = [replace(v, status=v.status if v.backward else "WRONG_VALUE") for v in one.variants]
    return {**found, "backward": domain(base, wrong, ran=ran)}


def schema(shape: Outline) -> str:
    """The operator's arguments and results, in PyTorch's own notation."""
    arguments = [
        f"{'Tensor' if one.shape is not None else one.dtype} {one.name}"
        for one in (*shape.inputs, *shape.state)
    ]
    result = "Tensor" if shape.outputs == 1 else f"({', '.join(['Tensor'] * shape.outputs)})"
    return f"({', '.join(arguments)}) -> {result}"


def autocast(shape: Outline) -> str:
    """What floating-point arguments are cast to under autocast: their one dtype; empty for several."""
    found = {
        one.dtype for one in (*shape.inputs, *shape.state) if one.shape is not None and "float" in one.dtype
    }
    return found.pop() if len(found) == 1 else ""


def _static(package: Package) -> None:
    """What is the same in every package, its imports renamed; and the native sources."""
    root, base = package.name, HERE.parent
    sources = {f"_runtime/{name}.py": HERE / "runtime" / f"{name}.py" for name in RUNTIME}
    sources["_runtime/inline.py"] = base / "inline.py"
    if any("inline_cuda" in text for text in package.files.values()):
        sources["_runtime/inline_cuda.py"] = base / "inline_cuda.py"
    for name, path in sources.items():
        package.files[f"{root}/{name}"] = renamed(path.read_text(encoding="utf-8"), root)
    package.files[f"{root}/_runtime/__init__.py"] = '"""What the operators need at run time."""\n'
    package.files[f"{root}/kernels/__init__.py"] = (
        '"""The kernels, one module each, as they were written."""\n'
    )
    package.files[f"{root}/references/__init__.py"] = '"""What each operator computes, in PyTorch."""\n'
    records = []
    for library in package.libraries:
        sources_of = _files_of(library)
        records.append(_build_record(library, list(sources_of)))
        package.files.update({f"{root}/csrc/{name}": text for name, text in sources_of.items()})
    package.files[f"{root}/csrc/builds.json"] = json.dumps(records, indent=1) + "\n"


def renamed(text: str, root: str) -> str:
    """Our own modules' imports as they are in the package."""
    text = text.replace("kernelopt.export.runtime", f"{root}._runtime")
    text = re.sub(
        r"^from kernelopt import (inline\w*)", rf"from {root}._runtime import \1", text, flags=re.MULTILINE
    )
    return re.sub(r"\bkernelopt\.(inline\w*)", rf"{root}._runtime.\1", text)


def _files_of(library: Library) -> dict[str, str]:
    """Source files under the library's own name; headers keep theirs."""
    units = [name for name in library.request.sources if name.endswith((".cpp", ".cc", ".cxx"))]
    headers = {name: text for name, text in library.request.sources.items() if name not in units}
    named = {units[0]: f"{library.name}.cpp", **{unit: f"{library.name}_{unit}" for unit in units[1:]}}
    return {**{new: library.request.sources[old] for old, new in named.items()}, **headers}


def _build_record(library: Library, files: list[str]) -> dict[str, Any]:
    from kernelopt.languages._flags import refusal, split

    request = library.request
    cflags, ldflags = split(request.cflags), split(request.ldflags)
    if problem := refusal(cflags, ldflags):
        raise UsageError(f"{library.name}: {problem}")
    cflags = [flag for flag in cflags if not flag.startswith(("-march=", "-mtune="))]
    return {
        "name": library.name,
        "kind": request.kind,
        "module": request.name if request.name.isidentifier() else library.name,
        "python_module": library.python_module,
        "sources": files,
        "cflags": cflags,
        "ldflags": ldflags,
    }


def _code(package: Package, operators: Sequence[Operator]) -> None:
    """Everything that is generated: modules, tests, the build."""
    root, names = package.name, [operator.name for operator in operators]
    title = f"{len(names)} operator{'s' * (len(names) != 1)} for PyTorch, optimised by kernelopt"
    common = {
        "package": root,
        "distribution": root.replace("_", "-"),
        "version": "0.1.0",
        "summary": title,
        "license": package.license,
        "march": package.march,
        "example": names[0],
    }
    functions = "".join(_function(package, name) for name in names)
    listed = "\n".join(f'    "{name}",' for name in names)
    needs = [
        "torch>=2.6",
        *sorted({need for one in package.files for need in _needs(package.files[one], one)}),
    ]
    package.files |= {
        "pyproject.toml": template(
            "pyproject.toml", **common, dependencies=", ".join(f'"{one}"' for one in needs)
        ),
        "setup.py": template("setup.py", **common),
        f"{root}/__init__.py": template("init.py", **common, names=", ".join(names), listed=listed),
        f"{root}/operators.py": template("operators.py", **common, functions=functions),
        "tests/test_package.py": template("test_package.py", **common),
        f"{root}/table.json": json.dumps({"operators": package.table}, indent=1) + "\n",
    }
    hashes = {name: digest(text) for name, text in sorted(package.files.items())}
    record = measurement(package.claims, march=package.march, hashes=hashes, version=kernelopt.__version__)
    package.files[f"{root}/measurement.json"] = json.dumps(record, indent=1) + "\n"


def digest(text: str) -> str:
    """SHA-256 of a text (64 hex digits)."""
    return hashlib.sha256(text.encode()).hexdigest()


def _needs(text: str, name: str) -> set[str]:
    """Distributions that a module imports and torch does not bring."""
    if not name.endswith(".py") or "/kernels/" not in name:
        return set()
    words = {"triton": "triton>=3.2", "cupy": "cupy-cuda13x>=13.6", "numpy": "numpy"}
    cuda = {"cuda-bindings>=12.8", "nvidia-cuda-nvrtc>=12.8"} if "_runtime.inline_cuda" in text else set()
    return cuda | {
        need for word, need in words.items() if re.search(rf"^\s*(import|from) {word}\b", text, re.MULTILINE)
    }


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
