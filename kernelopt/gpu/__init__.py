"""What can be learned of GPU kernels by compiling them, with or without a GPU: the types of it.

A compiler turns text into a `Compilation`: one `CompiledKernel` for each entry point, or `Diagnostic`s that
say why there is none. Nothing here runs a kernel, and nothing needs a driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message of a compiler."""

    tool: str
    """Who said it: ``nvcc``, ``nvrtc``, ``ptxas`` or ``triton``."""
    severity: str
    """``error``, ``warning`` or ``note``."""
    message: str
    """In the compiler's words, without place and number."""
    file: str = ""
    """Name of the file, without folders; empty where the message is about none."""
    line: int = 0
    """From 1; 0 where the compiler does not say."""
    column: int = 0
    code: str = ""
    """The compiler's own number or name of it, for example ``#20`` (nvcc) or ``CompilationError``."""
    kernel: str = ""
    """Entry function that the message is about, where it names one."""
    excerpt: str = ""
    """The lines of source around it, a caret or ``>`` at the place."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Machine instructions of a kernel by kind, counted as they stand in the code, not as they run."""

    total: int
    fp32: int = 0
    """FFMA, FADD, FMUL and their packed forms."""
    fp64: int = 0
    fp16: int = 0
    """HFMA2, HADD2, HMUL2, and their bfloat16 forms."""
    tensor: int = 0
    """HMMA, IMMA, QMMA, GMMA, UTCMMA ...: work of the tensor cores."""
    special: int = 0
    """MUFU: exponential, reciprocal, square root, sine."""
    integer: int = 0
    global_load: int = 0
    global_load_128: int = 0
    """Those of the global loads that fetch 16 bytes a thread, or 32 (from sm_100 on)."""
    global_store: int = 0
    global_store_128: int = 0
    shared_load: int = 0
    shared_store: int = 0
    local: int = 0
    """Loads and stores of local memory: spilled registers, arrays with computed indices."""
    async_copy: int = 0
    """LDGSTS, UBLKCP, UTMALDG ...: copies to shared memory that do not pass through registers."""
    atomic: int = 0
    barrier: int = 0
    branch: int = 0


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How many threads a multiprocessor can hold at a time, in theory."""

    block_threads: int
    blocks: int
    """Resident blocks of a multiprocessor."""
    fraction: float
    """Resident warps over the most that the architecture allows."""
    limited_by: str
    """``registers``, ``shared memory``, ``barriers``, ``threads``, ``blocks``, or ``nothing``."""


@dataclass(frozen=True, slots=True)
class CompiledKernel:
    """One entry point, as the assembler left it."""

    name: str
    """As written in the source, where it can be told from the mangled one."""
    registers: int
    """Of a thread."""
    spill_store_bytes: int = 0
    spill_load_bytes: int = 0
    stack_bytes: int = 0
    """Stack frame of a thread, in local memory."""
    shared_bytes: int = 0
    """Static shared memory of a block."""
    constant_bytes: int = 0
    barriers: int = 0
    mix: Mix | None = None
    """None where no disassembler was found."""
    occupancy: Occupancy | None = None
    """For the block size that the kernel is launched with or compiled for; None where neither is known."""


@dataclass(frozen=True, slots=True)
class Compilation:
    """What came of one source (or one specialisation of a Triton function)."""

    ok: bool
    tool: str
    """``nvcc``, ``nvrtc`` or ``triton``, with its version."""
    arch: str
    """For example ``sm_90``, ``sm_90a`` or ``gfx942``."""
    kernels: tuple[CompiledKernel, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    log: str = ""
    """Everything that was printed, machine paths shortened to file names."""
    seconds: float = 0.0
    binary: bytes = field(default=b"", repr=False)
    """The cubin (or hsaco), where there is one."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else is known, for example the chosen configuration of an autotuned Triton function."""
