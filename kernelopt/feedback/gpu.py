"""A `kernelopt.gpu.Compilation` in words: why it failed, or what stands out in what the assembler left.

Words only, nothing is compiled here. Sources of the facts are named beside them; "Programming Guide" and
"Best Practices Guide" are NVIDIA's, of CUDA C++.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kernelopt.evaluation import Evaluation
from kernelopt.feedback import diagnostics, words
from kernelopt.feedback.compiler import placed, problems
from kernelopt.feedback.gpu_hints import hints
from kernelopt.feedback.query import operators
from kernelopt.feedback.text import inline
from kernelopt.gpu import Compilation, CompiledKernel
from kernelopt.gpu.profiles import LOW_OCCUPANCY, LOW_OCCUPANCY_TENSOR, to_diagnostics, to_kernels
from kernelopt.task import Task

MOST_REGISTERS = 255
"""Of a thread: Programming Guide, "Technical Specifications per Compute Capability"."""

_WARNINGS = 3
_KERNELS = 4
_MATRIX_PRODUCTS = re.compile(
    r"(?:matmul|mm|bmm|addmm|baddbmm|addbmm|einsum|linear|bilinear|tensordot|chain_matmul|multi_dot"
    r"|(?:lazy)?conv(?:_?transpose)?[123]d|scaled_dot_product_attention|multiheadattention"
    r"|transformer\w*|lstm|gru|rnn)"
)
_DOUBLE = re.compile(r"float64|\bdouble\b")


def of_evaluation(evaluation: Evaluation, task: Task | None = None) -> list[str]:
    """Markdown lines on what an evaluation keeps of GPU compilers; nothing where it keeps nothing."""
    build = evaluation.build
    found = to_diagnostics(build.diagnostics) if build else ()
    kernels = to_kernels(evaluation.profiles)
    if build is None or not (found or kernels):
        return []
    failed = any(each.severity == "error" for each in found)
    tool, _, arch = build.command.partition(" for ")
    return describe(Compilation(not failed, tool, arch, kernels, found, build.log), task)


def describe(compilation: Compilation, task: Task | None = None) -> list[str]:
    """Markdown lines: the errors of a failed compilation with source and usual mend, else its remarks.

    Args:
        compilation: what came of the source.
        task: what the kernel is for; tells whether tensor cores and double precision are to be expected.
    """
    if not compilation.ok:
        return errors(compilation)
    lines = [line for kernel in compilation.kernels[:_KERNELS] for line in kernel_lines(kernel, task)]
    if len(compilation.kernels) > _KERNELS:
        lines.append(f"- and {len(compilation.kernels) - _KERNELS} further kernels")
    return lines + _several(compilation) + _tensor_cores(compilation, task) + warnings(compilation)


def _several(compilation: Compilation) -> list[str]:
    """Kernels that follow each other read again what the one before has written."""
    count = len({kernel.name for kernel in compilation.kernels})
    if count < 2:
        return []
    return [
        f"- launches {count} different kernels, and so {words.SEVERAL_PASSES}, unless each reduces it to "
        "much less: compute what follows from an element where that element is computed"
    ]


def _tensor_cores(compilation: Compilation, task: Task | None) -> list[str]:
    """What to say where a task multiplies matrices and no kernel does so on tensor cores.

    TF32 keeps 10 bits of the mantissa: Programming Guide, "Alternate Floating Point".
    """
    mixes = [kernel.mix for kernel in compilation.kernels]
    known = bool(mixes) and all(mix is not None and not mix.tensor for mix in mixes)
    if not known or task is None or not multiplies_matrices(task):
        return []
    return [
        f"- {words.NO_TENSOR_CORES} though the task multiplies matrices: use `wmma`, `mma.sync` or `tl.dot` "
        "with float16, bfloat16 or TF32 operands and float32 sums; for float32 inputs only if the tolerance "
        "allows TF32's 10-bit mantissa"
    ]


def errors(compilation: Compilation) -> list[str]:
    """Markdown lines on what made a compilation fail: first causes first, each message once."""
    found = problems(compilation.diagnostics)
    if not found:
        last = next((line for line in reversed(compilation.log.splitlines()) if line.strip()), "")
        return [
            f"- {inline(compilation.tool, 40)} failed"
            + (f": {inline(last)}" if last else " and said nothing")
        ]
    mends = hints([problem.error.message for problem in found])
    return [*diagnostics.render(found), *(f"- Usual mend: {mend}" for mend in mends)]


def warnings(compilation: Compilation) -> list[str]:
    """Markdown lines on the first warnings of a compilation that succeeded."""
    found = [each for each in compilation.diagnostics if each.severity == "warning"]
    return [
        f"- {inline(each.tool, 40)} warns: {placed(each)}{diagnostics.folded(each.message)}"
        for each in found[:_WARNINGS]
    ]


def kernel_lines(kernel: CompiledKernel, task: Task | None = None) -> list[str]:
    """Markdown lines on one kernel: its figures, then what stands out, each with what to do."""
    head = f"- `{inline(kernel.name, 80)}`: {', '.join(_figures(kernel))}"
    return [head, *(f"- {remark}" for remark in _remarks(kernel, task))]


def _figures(kernel: CompiledKernel) -> Iterator[str]:
    yield f"{kernel.registers} registers a thread"
    if kernel.shared_bytes:
        yield f"{kernel.shared_bytes / 1024:.3g} KiB of shared memory a block"
    if room := kernel.occupancy:
        yield f"occupancy {room.fraction:.0%} with blocks of {room.block_threads} threads"


def _remarks(kernel: CompiledKernel, task: Task | None) -> Iterator[str]:
    yield from _memory_of_a_thread(kernel)
    yield from _instructions(kernel, task)
    yield from _room(kernel)


def _memory_of_a_thread(kernel: CompiledKernel) -> Iterator[str]:
    """Spills, and local memory that is none.

    Local memory lies in device memory, whatever its name; arrays go there that are indexed with anything
    but constants, large structures, and what finds no register (Programming Guide, "Local Memory").
    """
    spilled = kernel.spill_store_bytes + kernel.spill_load_bytes
    if spilled:
        limit = "the most there are" if kernel.registers >= MOST_REGISTERS else "the limit that was set"
        yield (
            f"spills {kernel.spill_store_bytes} bytes (and loads {kernel.spill_load_bytes}) a thread out of "
            f"{kernel.registers} registers, {limit}: give each thread a smaller tile, or the block more "
            "warps, or raise the limit of `__launch_bounds__` or `maxnreg`"
        )
    elif kernel.stack_bytes or (kernel.mix and kernel.mix.local):
        size = f"{kernel.stack_bytes} bytes" if kernel.stack_bytes else "some"
        yield (
            f"keeps {size} of each thread in local memory, that is in device memory: unroll the loops that "
            "index its arrays, so that each index is a constant, or put the array into shared memory"
        )


def _instructions(kernel: CompiledKernel, task: Task | None) -> Iterator[str]:
    mix = kernel.mix
    if mix is None:
        return
    # A warp that loads 16 bytes a thread needs a quarter of the instructions: NVIDIA's technical blog,
    # "CUDA Pro Tip: Increase Performance with Vectorized Memory Access".
    if mix.global_load and not mix.global_load_128 and not mix.async_copy:
        yield (
            f"none of its {mix.global_load} {words.NARROW_LOADS}: read `float4` (8 halves) a thread "
            "from 16-byte aligned addresses; in Triton, let neighbouring elements be contiguous and sizes "
            "divisible by 16"
        )
    # Double precision runs at 1/2 of float32's rate on data-centre GPUs, at 1/64 on most others:
    # Programming Guide, "Throughput of Native Arithmetic Instructions".
    if mix.fp64 and not (task is not None and _DOUBLE.search(task.source)):
        yield (
            f"holds {mix.fp64} {words.DOUBLE_INSTRUCTIONS}: write literals as `1.0f` and call `expf`, not "
            "`exp` of a double"
        )


def _room(kernel: CompiledKernel) -> Iterator[str]:
    room = kernel.occupancy
    if room is None:
        return
    if not room.blocks:
        more = _more(room.limited_by)
        yield f"not even one block fits on a multiprocessor, because of {room.limited_by}: {more}"
        return
    enough = LOW_OCCUPANCY_TENSOR if kernel.mix and kernel.mix.tensor else LOW_OCCUPANCY
    if room.fraction < enough:
        yield (
            f"occupancy is limited to {room.fraction:.0%} by {room.limited_by}, too little to hide the "
            f"latency of memory: {_more(room.limited_by)}"
        )


def _more(limit: str) -> str:
    """What raises a limit of the occupancy."""
    return {
        "registers": "keep fewer values alive in each thread, or bound registers with "
        "`__launch_bounds__(threads, blocks)` and watch for spills",
        "shared memory": "take a smaller tile, fewer stages, or a shorter type",
        "blocks": "use larger blocks, 128 to 256 threads",
        "threads": "choose a block size that divides the threads of a multiprocessor, such as 256",
        "barriers": "use fewer named barriers in each block",
    }.get(limit, "change the block size")


def multiplies_matrices(task: Task) -> bool:
    """The reference calls an operator made of matrix products, linear layers and convolutions among them."""
    return any(_MATRIX_PRODUCTS.fullmatch(name) for name in operators(task.source))
