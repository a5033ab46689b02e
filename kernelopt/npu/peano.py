"""The chip's own compiler as a second opinion on a kernel that is right in the host model.

Peano's errors, the size of its program and counts of its bundles; cycles stay the model's. Needs no device.
"""

from __future__ import annotations

from pathlib import Path

from kernelopt.errors import MissingTool
from kernelopt.evaluation import Profile
from kernelopt.languages import Toolbox
from kernelopt.npu import Spec
from kernelopt.npu.hardware.line import Compiled, compiled
from kernelopt.npu.hardware.toolchain import Toolchain, find

TOOL = "peano"
"""Name of the profile."""
TIMEOUT_S = 120.0
"""For one compiler run."""


def installed() -> Toolchain | None:
    """The toolchain, where it can compile: Peano and the headers of mlir-aie are there."""
    chain = find()
    return chain if chain.peano and chain.mlir_aie else None


def folders(chain: Toolchain | None) -> tuple[Path, ...]:
    """What a sandbox has to show for `look` to work in it."""
    return (Path(chain.peano.path), Path(chain.mlir_aie.path)) if chain else ()


def identity(chain: Toolchain | None) -> str:
    """Which compiler a verdict comes of; empty without one."""
    parts = (chain.peano, chain.mlir_aie) if chain else ()
    return ", ".join(f"{part.name} {part.version or '(version unknown)'}" for part in parts)


def look(source: str, spec: Spec, machine: str, chain: Toolchain, tools: Toolbox) -> Compiled:
    """What Peano makes of a kernel.

    Raises:
        EvaluatorFault: the sandbox cannot start.
        MissingTool: Peano is there and cannot be started inside the sandbox: no kernel's fault.
    """
    done = compiled(source, spec, machine, chain, tools, TIMEOUT_S)
    refused = done.failure is not None and done.failure.kind == "build" and not done.code_bytes
    if refused and (not done.log.strip() or done.log.startswith("bwrap:")):
        raise MissingTool(f"{chain.peano.path}/bin/clang++ does not start in the sandbox")
    return done


def profile(done: Compiled) -> Profile:
    """Size and bundles, in numbers and in words. All static: what is compiled, not what was run."""
    counts = done.bundles
    metrics: dict[str, float] = {
        "code_bytes": done.code_bytes,
        "bundles": counts.bundles,
        "operations": counts.operations,
        "empty_bundles": counts.empty,
        "vector_bundles": counts.vector,
    }
    return Profile(TOOL, metrics, "\n".join(f"compiled by Peano: {note}" for note in done.notes()))
