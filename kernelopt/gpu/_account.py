"""From a finished compiler run to the `CompiledKernel`s of it: log, cubin, disassembly, names, occupancy."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernelopt.gpu import CompiledKernel, Mix, Occupancy, _elf, ptxas, sass, toolkit
from kernelopt.gpu.arch import Arch
from kernelopt.gpu.occupancy import occupancy
from kernelopt.languages import Toolbox

_MANGLED = re.compile(r"_Z\w{1,1000}")
_DEMANGLE_S = 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """What is wanted beyond ptxas's numbers, and what is known of the launch."""

    sass: bool = True
    """Disassemble; it takes 0.3 to 0.5 s."""
    block_threads: int | None = None
    """Threads of a block; None takes what the kernel was compiled for, if that is known."""
    dynamic_shared_bytes: int = 0
    """Asked for at launch, beyond what the kernel declares."""


def kernels(
    log: str, cubin: bytes, arch: Arch, look: Look, tools: Toolbox, deadline: float
) -> tuple[CompiledKernel, ...]:
    """Every entry point that ptxas tells of in `log`; `deadline` is one of `time.monotonic`.

    Raises:
        EvaluatorFault: the sandbox cannot start.
    """
    used = ptxas.parse(log)
    mixes = _mixes(cubin, look, tools, deadline)
    written = _written([one.mangled for one in used], tools)
    threads = _elf.block_threads(cubin)
    return tuple(
        CompiledKernel(
            written.get(one.mangled, one.mangled),
            one.registers,
            one.spill_store_bytes,
            one.spill_load_bytes,
            one.stack_bytes,
            one.shared_bytes,
            one.constant_bytes,
            one.barriers,
            mixes.get(one.mangled),
            _occupancy(one, arch, look, threads.get(one.mangled)),
        )
        for one in used
    )


def _mixes(cubin: bytes, look: Look, tools: Toolbox, deadline: float) -> Mapping[str, Mix]:
    found = toolkit.locate("nvdisasm") if look.sass else None
    if found is None:
        return {}
    return sass.disassemble(cubin, found[0], tools, deadline - time.monotonic())


def _written(mangled: Sequence[str], tools: Toolbox) -> dict[str, str]:
    """Mangled names to those in the source, with template arguments and without parameters."""
    names = [name for name in dict.fromkeys(mangled) if _MANGLED.fullmatch(name)][:100]
    found = toolkit.locate("cu++filt")
    program = found[0] if found else shutil.which("c++filt")
    if not names or program is None:
        return {}
    with tools.folder() as work:
        run = tools.run([program, "-p", *names], work, _DEMANGLE_S)
    lines = run.log.splitlines()
    return dict(zip(names, lines, strict=True)) if run.code == 0 and len(lines) == len(names) else {}


def _occupancy(used: ptxas.Usage, arch: Arch, look: Look, compiled_for: int | None) -> Occupancy | None:
    threads = look.block_threads or compiled_for
    if not threads:
        return None
    shared = used.shared_bytes + look.dynamic_shared_bytes
    return occupancy(arch, threads, used.registers, shared, used.barriers)
