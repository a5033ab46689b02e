"""Task text and skills → an answer module in CUDA C++ (native or through CuPy) or in Triton."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kernelopt.lms._builtin import (
    cuda_contract,
    cuda_rows,
    cuda_windows,
    rules_constants,
    rules_losses,
    rules_rows,
    rules_sums,
    triton_code,
    triton_kernels,
)
from kernelopt.lms._builtin.answer import Call, Dialect, assemble
from kernelopt.lms._builtin.cuda_code import CudaCode, Launch, Look
from kernelopt.lms._builtin.kernels import Kernel
from kernelopt.lms._builtin.plan import Plan
from kernelopt.lms._builtin.read import read
from kernelopt.lms._builtin.rules import Lowering
from kernelopt.lms._builtin.triton_code import Blocks

_RULES = (rules_constants, rules_losses, rules_rows, rules_sums)  # imported for the rules that they register
_EMIT: dict[str, Callable[[Kernel, Look, str], Launch]] = {
    "contract": cuda_contract.emit,
    "conv": cuda_windows.conv,
    "pool": cuda_windows.pool,
    "scan": cuda_windows.scan,
    "recur": cuda_windows.scan,
    "": cuda_rows.emit,
}
_QUIET = "#pragma nv_diag_suppress 177  // indices that a kernel does not need"
_STREAM = "with cupy.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):"


def write_cuda(task_source: str, skills: frozenset[str], *, cupy: bool = False) -> str:
    """The Python text of an answer, with one kernel for each that the plan has.

    Raises:
        UnknownOperator: no kernel is known for something in the task.
    """
    program = read(task_source, Lowering("row_max" in skills, "epsilon" in skills))
    plan = Plan(program.outputs, fuse="fuse" in skills, reciprocals="float_math" in skills)
    look = Look(
        single="float_math" in skills,
        vectors={"vectors", "float_math"} <= skills,
        blocking="blocking" in skills,
        constants="constants" in skills,
    )
    launches = [
        _EMIT[k.anchor.kind if k.anchor else ""](k, look, f"f{i}") for i, k in enumerate(plan.kernels)
    ]
    helpers = dict.fromkeys(helper for launch in launches for helper in launch.helpers)
    text = "\n\n".join([_QUIET, *helpers, *(launch.text for launch in launches)])
    codes = [CudaCode(kernel, look) for kernel in plan.kernels]
    calls = [Call(f"f{i}", tuple(code.reads), tuple(code.writes)) for i, code in enumerate(codes)]
    shapes = {f"f{i}": launch for i, launch in enumerate(launches)}
    return assemble(task_source, (_cupy if cupy else _native)(text, shapes), program, calls)


def _native(text: str, shapes: dict[str, Launch]) -> Dialect:
    def call(one: Call, names: Sequence[str]) -> Sequence[str]:
        launch = shapes[one.function]
        return [f"lib.{one.function}[{_three(launch.grid)}, {_three(launch.block)}]({', '.join(names)})"]

    library = f"lib = cuda(r'''\n{text}\n''')"
    return Dialect(("from kernelopt.inline import cuda", "import torch"), library, call, on_device=True)


def _cupy(text: str, shapes: dict[str, Launch]) -> Dialect:
    def call(one: Call, names: Sequence[str]) -> Sequence[str]:
        launch, pointers = shapes[one.function], "".join(f"{name}.data_ptr(), " for name in names)
        line = f"lib.get_function('{one.function}')({launch.grid!r}, {launch.block!r}, ({pointers}))"
        return [_STREAM, f"    {line}"]

    library = f"lib = cupy.RawModule(code=r'''\n{text}\n''', options=('--std=c++17',))"
    return Dialect(("import cupy", "import torch"), library, call, on_device=True)


def _three(sizes: tuple[int, ...]) -> str:
    return str(sizes[0]) if len(sizes) == 1 else repr(sizes)


def write_triton(task_source: str, skills: frozenset[str]) -> str:
    """The Python text of an answer in Triton, with one function for each kernel that the plan has.

    Raises:
        UnknownOperator: no kernel is known for something in the task.
    """
    program = read(task_source, Lowering("row_max" in skills, "epsilon" in skills))
    plan = Plan(program.outputs, fuse="fuse" in skills, reciprocals=True)
    look = Blocks(wide="vectors" in skills, tiles="blocking" in skills)
    made = [triton_kernels.emit(kernel, look, f"f{i}") for i, kernel in enumerate(plan.kernels)]
    codes = [triton_code.Tri(kernel) for kernel in plan.kernels]
    calls = [Call(f"f{i}", tuple(code.reads), tuple(code.writes)) for i, code in enumerate(codes)]
    shapes = {f"f{i}": one for i, one in enumerate(made)}

    def call(one: Call, names: Sequence[str]) -> Sequence[str]:
        launch = shapes[one.function]
        return [f"{one.function}[{launch.grid!r}]({', '.join(names)}, num_warps={launch.warps})"]

    imports = ("import torch", "import triton", "import triton.language as tl")
    helpers = triton_code.helpers("\n".join(one.text for one in made))
    text = "\n\n\n".join([*helpers, *(one.text for one in made)])
    return assemble(task_source, Dialect(imports, f"\n{text}", call, on_device=True), program, calls)
