"""The README of a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelopt.export import STABLE
from kernelopt.export.generate import template
from kernelopt.export.stable import TORCH

if TYPE_CHECKING:
    from kernelopt.export.package import Package


def readme(package: Package) -> None:
    """Add ``README.md``. Every figure in it is one of ``measurement.json``."""
    import json

    record = json.loads(package.files[f"{package.name}/measurement.json"])
    machine, claims = record["machine"], record["claims"]
    names = list(package.table)
    count = f"{len(names)} operator{'s' * (len(names) != 1)}"
    package.files["README.md"] = template(
        "README.md",
        package=package.name,
        distribution=package.name.replace("_", "-"),
        summary=f"{count} for PyTorch, optimised by kernelopt {record['kernelopt']}.",
        rows="\n".join(_row(package, one) for one in claims),
        date=record["date"],
        machine=f"{machine['cpu']} ({machine['system']})",
        threads=machine["threads"],
        torch=machine["torch"],
        compiler=machine["compiler"],
        isolation=", ".join(sorted({one["isolation"] for one in claims})),
        march=package.march,
        example=names[0],
        license=package.license,
        abi=_abi(package),
        gradients=_gradients(package),
        writers=", ".join(
            sorted({one["lineage"].get("model") or "hand or an unknown model" for one in claims})
        ),
    )


def _row(package: Package, one: dict[str, Any]) -> str:
    timing = one["timing"]
    figures = ("not timed here", "", "")
    if timing:
        s = timing["speedup"]
        figures = (
            f"{s['median']:.2f}× ({s['ci95_low']:.2f} to {s['ci95_high']:.2f})",
            f"{timing['candidate_ms']:.3f} ms",
            f"{timing['reference_ms']:.3f} ms",
        )
    kernels = package.table[one["operator"]]["kernels"]
    domain = next(kernel["domain"] for kernel in kernels if kernel["module"] == f"kernels.{one['module']}")
    shapes = "; ".join(
        f"{rule['name']} {rule['shape']}" for rule in domain["arguments"] if rule["kind"] == "tensor"
    )
    sizes = ", ".join(f"{name} {low} to {high}" for name, (low, high) in domain["sizes"].items())
    verified = f"{shapes}; {sizes}" if sizes else shapes
    verified = verified.replace("'", "")
    tested = f"{verified}; {len(domain['tested'])} tested"
    cells = (f"`{one['operator']}`", f"{one['task']['suite']} {one['task']['id']}", *figures, tested)
    return f"| {' | '.join(cells)} |"


def _gradients(package: Package) -> str:
    own = [
        f"`{name}`"
        for name, record in package.table.items()
        if any("backward" in kernel for kernel in record["kernels"])
    ]
    if not own:
        return "Gradients are computed by running the reference again; kernels have none of their own."
    others = "; of the others by running the reference again" if len(own) < len(package.table) else ""
    return (
        f"Gradients of {', '.join(own)} are those of the kernel's own backward pass, where it was verified\n"
        f"  (its forward pass runs again for it){others}. Second derivatives come from the reference."
    )


def _abi(package: Package) -> str:
    """Each sort of build, and what it binds the wheel to."""
    kinds = {library.request.kind for library in package.libraries}
    said = [text for kind, text in _ABI.items() if kind in kinds]
    said += [
        f"`{one['operator']}` is built with {one['interface']}."
        for one in package.claims
        if one["interface"].startswith("torch/extension.h")
    ]
    return "\n\n".join(said).replace("ARCHS", ", ".join(package.archs)) or _ABI[""]


_ABI = {
    "": "Pure Python: GPU kernels are compiled when they are first used, and kept on disk.",
    "shared": (
        "The libraries are plain C functions: one wheel serves every Python from 3.11 on, and no binary\n"
        "interface of PyTorch is used (its Python interface is: 2.6 or later; tested with the one above)."
    ),
    "cubin": (
        "CUDA C++ is compiled by nvcc for ARCHS, and as PTX for newer GPUs; for others:\n"
        '`KERNELS_ARCH="sm_80 sm_90" pip install .`. Where nvcc is missing, or the GPU is older,\n'
        "NVRTC compiles it when it is first used, and keeps it on disk."
    ),
    STABLE: (
        "C++ extensions are built on PyTorch's stable interface and Python's limited one: one wheel (abi3)\n"
        f"serves every Python from 3.11 and every PyTorch from {TORCH} on. Building it needs PyTorch's\n"
        "headers."
    ),
    "torch_extension": (
        "Some kernels use PyTorch's C++ interface as they were written: build with the PyTorch that they\n"
        "will run with (`pip install --no-build-isolation .`); a wheel serves this Python and PyTorch only."
    ),
}
"""Kind of build to what its users have to know."""
