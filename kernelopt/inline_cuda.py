"""CUDA C++ kernels as Python callables over torch tensors, by NVRTC and without a header of torch.

    from kernelopt.inline import cuda

    lib = cuda(r'''
    extern "C" __global__ void scale(const float* x, float* y, int n, float factor) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) y[i] = x[i] * factor;
    }
    ''')
    lib.scale[(n + 255) // 256, 256](x, y, n, 2.0)            # grid, block
    lib.scale[(gx, gy), (32, 8), shared_bytes](x, y, n, 2.0)  # up to three dimensions; dynamic shared memory

Pointers take contiguous CUDA tensors of the matching dtype (``half`` and ``__nv_bfloat16`` as torch has
them, ``float4`` and its like as their elements) or None; numbers are passed by value. A launch goes to
torch's current stream and returns at once. Needs cuda-bindings and NVRTC (``pip install
cuda-bindings nvidia-cuda-nvrtc``), and a GPU only when a kernel is launched.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kernelopt import inline
from kernelopt.inline import BuildError, Signature

__all__ = ["Kernel", "Module", "cuda", "signatures"]

STANDARD = "--std=c++17"
"""The one option of every build; the author's own come after it."""
STATIC_SHARED_BYTES = 48 << 10
"""Dynamic shared memory that needs no opting in (CUDA C++ Programming Guide, compute capabilities)."""

_BOUNDS = re.compile(r"__(?:launch_bounds|cluster_dims|maxnreg)__\s*\((?:[^()]|\([^()]*\))*\)")
_KERNEL_WORDS = re.compile(r"\b__(?:global|grid_constant)__\b")
_ELEMENTS = {
    **dict.fromkeys(("half", "__half", "half2", "__half2"), "_Float16"),
    **dict.fromkeys(("__nv_bfloat16", "__nv_bfloat162", "nv_bfloat16", "nv_bfloat162"), "__bf16"),
    **{
        f"{name}{lanes}": name
        for name in ("char", "short", "int", "float", "double")
        for lanes in (1, 2, 3, 4)
    },
    **{f"u{name}{lanes}": f"unsigned {name}" for name in ("char", "short", "int") for lanes in (1, 2, 3, 4)},
    **{f"longlong{lanes}": "long long" for lanes in (1, 2, 3, 4)},
    **dict.fromkeys(("uint", "unsigned"), "unsigned int"),
    "uchar": "unsigned char",
}
"""Types of CUDA's headers to what a pointer to them points to."""
_BY_VALUE = re.compile(
    r"\b(?:u?(?:char|short|int|longlong)[1-4]|(?:float|double)[1-4]|\w*half2?|\w*bfloat162?)\s+\w+\s*$"
)
_HEAD = re.compile(r"__global__[^;{(]*\b(?P<name>\w+)\s*\((?P<parameters>[^{;]*)\)\s*\{")


def signatures(source: str) -> list[Signature]:
    """Signatures of the kernels that `source` defines as ``extern "C" __global__ void``, in order.

    Raises:
        ValueError: a parameter that has no Python form.
    """
    bare = _BOUNDS.sub("", source)
    for head in _HEAD.finditer(bare):
        for parameter in head["parameters"].split(","):
            if _BY_VALUE.search(parameter.strip()):
                raise ValueError(
                    f"{head['name']}: {parameter.strip()!r} by value; pass a pointer or plain numbers"
                )
    names = {found["name"] for found in _HEAD.finditer(bare)}
    known = "".join(
        f"typedef {element} {name};\n" for name, element in _ELEMENTS.items() if name != "unsigned"
    )
    return [one for one in inline.parse(known + _KERNEL_WORDS.sub("", bare)) if one.name in names]


class Module:
    """A loaded build: one attribute a kernel, named as in the source."""

    def __init__(self, cubin: bytes, found: Sequence[Signature]) -> None:
        image = _Image(cubin)
        for signature in found:
            setattr(self, signature.name, Kernel(image, signature))

    def __getattr__(self, name: str) -> Kernel:
        raise AttributeError(f"no kernel {name!r} was built; there are: {', '.join(sorted(vars(self)))}")


class Kernel:
    """One entry point; ``kernel[grid, block](...)`` launches it."""

    def __init__(self, image: _Image, signature: Signature) -> None:
        self._image, self.signature = image, signature
        self._converters: tuple[Callable[[Any], Any], ...] | None = None
        self._types = tuple(
            ctypes.c_void_p if p.pointer else inline._SCALARS[p.type] for p in signature.parameters
        )

    def __getitem__(self, configuration: tuple[Any, ...]) -> Callable[..., None]:
        """What launches it with this grid, block and (0 if left out) bytes of dynamic shared memory."""
        if not isinstance(configuration, tuple) or len(configuration) not in (2, 3):
            raise TypeError(
                f"{self.signature.name}: write kernel[grid, block] or kernel[grid, block, shared_bytes]"
            )
        grid, block = (_three(self.signature.name, one) for one in configuration[:2])
        shared = int(configuration[2]) if len(configuration) == 3 else 0
        return functools.partial(self._launch, grid, block, shared)

    def _launch(self, grid: Sequence[int], block: Sequence[int], shared: int, *arguments: Any) -> None:
        values = self.convert(arguments)
        self._image.launch(self.signature.name, (*grid, *block, shared), (values, self._types))

    def convert(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """Addresses and numbers as the kernel takes them.

        Raises:
            TypeError: a wrong number or type of arguments.
            ValueError: a tensor elsewhere or not contiguous, a number out of range.
        """
        name, parameters = self.signature.name, self.signature.parameters
        if len(arguments) != len(parameters):
            wanted = ", ".join(map(str, parameters))
            raise TypeError(f"{name}({wanted}) takes {len(parameters)} arguments, got {len(arguments)}")
        if self._converters is None:  # making them imports torch
            self._converters = tuple(inline._converter(name, p, "cuda") for p in parameters)
        return tuple(convert(value) for convert, value in zip(self._converters, arguments, strict=True))


def cuda(source: str, *, options: Sequence[str] = (), name: str = "kernel") -> Module:
    """Compile CUDA C++ text for the present GPU and load its ``extern "C"`` kernels.

    Args:
        source: Text with at least one ``extern "C" __global__ void`` definition.
        options: NVRTC's, after ``--std=c++17``, for example ``["--use_fast_math"]``.
        name: File name (without ``.cu``) in compiler messages.

    Raises:
        BuildError: NVRTC is missing or refused the source.
        ValueError: no usable kernel, or a parameter type that has no Python form.
        RuntimeError: there is no GPU to build for.
    """
    if not re.fullmatch(r"\w[\w.-]{0,99}", name):
        raise ValueError(f"cuda: {name!r} is no file name; use letters, digits and underscores")
    found = signatures(source)
    if not found:
        raise ValueError('cuda: the source defines no extern "C" __global__ function')
    request = {
        "kind": "cubin",
        "name": name,
        "sources": {f"{name}.cu": source},
        "cflags": [f"--gpu-architecture={_arch()}", STANDARD, *options],
        "ldflags": [],
    }
    reply = (inline._builder or _build)(request)
    if not reply["ok"]:
        raise BuildError(str(reply.get("log", "")), str(reply.get("command", "")), name)
    with open(str(reply["path"]), "rb") as file:  # noqa: PTH123 - a descriptor's path under /proc, in a sandbox
        return Module(file.read(), found)


def compile_cubin(source: str, options: Sequence[str], name: str = "kernel") -> tuple[bytes | None, str]:
    """The cubin and the log of NVRTC in this process; None in place of the cubin if it refused."""
    from cuda.bindings import nvrtc  # noqa: PLC0415 - an optional package

    program = _sure(nvrtc.nvrtcCreateProgram(source.encode(), f"{name}.cu".encode(), 0, None, None))
    try:
        words = [option.encode() for option in (*options, *include_options())]
        (result,) = nvrtc.nvrtcCompileProgram(program, len(words), words)
        log = bytearray(_sure(nvrtc.nvrtcGetProgramLogSize(program)))
        _sure(nvrtc.nvrtcGetProgramLog(program, log))
        text = bytes(log).rstrip(b"\0").decode(errors="replace")
        if result != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            return None, text
        cubin = bytearray(_sure(nvrtc.nvrtcGetCUBINSize(program)))
        _sure(nvrtc.nvrtcGetCUBIN(program, cubin))
        return bytes(cubin), text
    finally:
        nvrtc.nvrtcDestroyProgram(program)


@functools.cache
def include_options() -> tuple[str, ...]:
    """Where ``cuda_fp16.h`` and its like are: in a toolkit, or in NVIDIA's packages; nothing if nowhere."""
    nvcc = shutil.which("nvcc")
    roots = [Path(one) for one in (os.environ.get("CUDA_HOME"), "/usr/local/cuda") if one]
    roots += [Path(nvcc).resolve().parents[1]] if nvcc else []
    packages = importlib.util.find_spec("nvidia")
    for place in (packages.submodule_search_locations or []) if packages else []:
        roots += sorted(Path(place).iterdir(), reverse=True)
    folders = (root / "include" for root in roots)
    found = next((folder for folder in folders if (folder / "cuda_fp16.h").exists()), None)
    return (f"--include-path={found}",) if found else ()


# --- Builds and launches in this process ---------------------------------------------------------------


class _Image:
    """Machine code that is loaded into a context when it is first launched there."""

    def __init__(self, cubin: bytes) -> None:
        self._cubin = cubin
        self._functions: dict[tuple[int, str], Any] = {}

    def launch(self, name: str, shape: Sequence[int], parameters: tuple[Any, Any]) -> None:
        import torch  # noqa: PLC0415 - this module must import without it
        from cuda.bindings import driver  # noqa: PLC0415

        device = torch.cuda.current_device()
        function = self._functions.get((device, name)) or self._load(device, name)
        if shape[-1] > STATIC_SHARED_BYTES:
            attribute = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
            _sure(driver.cuFuncSetAttribute(function, attribute, shape[-1]), name)
        stream = torch.cuda.current_stream(device).cuda_stream
        _sure(driver.cuLaunchKernel(function, *shape, stream, parameters, 0), name)

    def _load(self, device: int, name: str) -> Any:
        import torch  # noqa: PLC0415
        from cuda.bindings import driver  # noqa: PLC0415

        torch.cuda.init()  # type: ignore[no-untyped-call]
        torch.cuda.synchronize(device)  # torch's own context of the device is current from here on
        module = _sure(driver.cuModuleLoadData(self._cubin), name)
        function = _sure(driver.cuModuleGetFunction(module, name.encode()), name)
        self._functions[device, name] = function
        return function


def _arch() -> str:
    import torch  # noqa: PLC0415

    if not torch.cuda.is_available():
        raise RuntimeError("cuda: no GPU was found to build for; `kernelopt build` compiles without one")
    return "sm_{}{}".format(*torch.cuda.get_device_capability())


def _build(request: dict[str, Any]) -> dict[str, Any]:
    (source,) = request["sources"].values()
    options = request["cflags"]
    try:
        from cuda.bindings import nvrtc  # noqa: PLC0415

        identity = "nvrtc {}.{}".format(*nvrtc.nvrtcVersion()[1:])
    except (ImportError, RuntimeError) as problem:
        return {
            "ok": False,
            "log": f"NVRTC was not found ({problem}); pip install cuda-bindings nvidia-cuda-nvrtc",
        }
    entry = inline.Entry(inline.cache_dir(), inline.build_key("cubin", request["sources"], options, identity))
    record = entry.read()
    if record is None:
        with entry.locked():
            cubin, log = compile_cubin(source, options, request["name"])
            record = {"ok": cubin is not None, "log": log, "command": " ".join(["nvrtc", *options])}
            if cubin is not None:
                entry.publish(cubin, log=log, command=record["command"])
    return {**record, "path": str(entry.artifact)}


def _three(name: str, sizes: Any) -> tuple[int, int, int]:
    """One to three sizes as three."""
    given = tuple(sizes) if isinstance(sizes, (tuple, list)) else (sizes,)
    if not 1 <= len(given) <= 3 or any(int(size) < 1 for size in given):
        raise ValueError(f"{name}: a grid or block is one to three positive sizes, got {sizes!r}")
    x, y, z = (*map(int, given), 1, 1)[:3]
    return x, y, z


def _sure(returned: tuple[Any, ...], name: str = "") -> Any:
    """The value of a call of cuda-bindings, which return (error, value)."""
    error, *values = returned
    if int(error):
        raise RuntimeError(f"CUDA: {error.name}{f' ({name})' if name else ''}")
    return values[0] if values else None
