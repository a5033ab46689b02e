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
from typing import Any

import kernelopt
from kernelopt._syntax import parse
from kernelopt.errors import UsageError
from kernelopt.export import OWN, UNTRIED, Examined
from kernelopt.export.ahead import architectures
from kernelopt.export.apart import Library, take_apart
from kernelopt.export.generate import code, runtime
from kernelopt.export.measurement import claim, measurement
from kernelopt.export.naming import operator_name, package_name, sentence
from kernelopt.export.outline import Outline, outline
from kernelopt.export.readme import readme
from kernelopt.export.sweep import domain
from kernelopt.suites._constants import constants

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
    archs: tuple[str, ...] = ()
    """GPUs that CUDA C++ is compiled for when the package is built."""
    files: dict[str, str] = field(default_factory=dict)
    libraries: list[Library] = field(default_factory=list)
    table: dict[str, Any] = field(default_factory=dict)
    claims: list[dict[str, Any]] = field(default_factory=list)


def build(
    examined: Sequence[Examined], name: str, march: str, license_: str = LICENSE, archs: Sequence[str] = ()
) -> Package:
    """The package of these winners, none of which is refused.

    Args:
        examined: the winners.
        name: of the package.
        march: processor to build for.
        license_: SPDX expression.
        archs: GPUs to build CUDA C++ for, with nvcc; none leaves it to NVRTC at first use.

    Raises:
        UsageError: a name, a licence, an architecture or a kernel that cannot be used.
    """
    if not _LICENSES.fullmatch(license_):
        raise UsageError(f"--license {license_!r} is no SPDX expression")
    package = Package(package_name(name), march, license_, architectures(archs))
    operators = _operators(examined)
    for operator in operators:
        package.table[operator.name] = _record(package, operator)
    if archs and not any(library.request.kind == "cubin" for library in package.libraries):
        raise UsageError(
            "--arch: nvcc builds no kernel here; Triton and CuPy compile at first use, for any GPU"
        )
    runtime(package)
    code(package, [operator.name for operator in operators])
    seal(package)
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
    tree = parse(source)
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
        "title": sentence(ast.get_docstring(parse(first.source)) or first.name),
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
    ahead = bool(package.archs and one.requests)
    if winner.kernel.language == "cpp" or ahead:
        apart = take_apart(winner.kernel.source, one.requests, module, root)
        package.libraries += apart.libraries
        text, device = apart.text, "cuda" if ahead else "cpu"
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


def seal(package: Package) -> None:
    """Add ``measurement.json``, with the hash of every file so far."""
    hashes = {name: digest(text) for name, text in sorted(package.files.items())}
    found = measurement(
        package.claims,
        march=package.march,
        archs=package.archs,
        hashes=hashes,
        version=kernelopt.__version__,
    )
    package.files[f"{package.name}/measurement.json"] = json.dumps(found, indent=1) + "\n"


def digest(text: str) -> str:
    """SHA-256 of a text (64 hex digits)."""
    return hashlib.sha256(text.encode()).hexdigest()
