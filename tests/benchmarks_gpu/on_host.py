"""Runs the CUDA C++ of a kernel module on the CPU: for its logic, at small sizes, not for its speed.

`namespace(file)` executes a module of ``benchmarks/gpu/cuda`` or ``cupy`` with stand-ins for
`kernelopt.inline.cuda` and `cupy`, whose launches compile the text against ``cuda_on_host.h``.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from kernelopt import inline
from kernelopt.inline_cuda import signatures

HEADER = Path(__file__).parent
INSTRUCTIONS = ("copy16", "commit", "wait", "ldmatrix", "ldmatrix_trans", "mma", "pack")
"""Functions of the kernels that hold PTX; the header has them in C++."""


def ported(source: str) -> str:
    """The text without functions that hold PTX, with dynamic shared memory in the header's buffer."""
    for name in INSTRUCTIONS:
        head = rf"^(?:template <int \w+> )?__device__ __forceinline__ \w+ {name}\("
        source = re.sub(head + r".*?(?:^\}|\}$)\n", "", source, flags=re.MULTILINE | re.DOTALL)
    assert "asm" not in source, "a function with PTX that the header does not know"
    dynamic = r"extern __shared__ (?:__align__\(\d+\) )?(\w+) (\w+)\[\];"
    return re.sub(dynamic, r"\1* \2 = (\1*)host::shared;", source)


def starter(found: inline.Signature) -> str:
    """A C function that launches one kernel: shape in seven numbers, then addresses of the arguments."""
    kinds = [re.sub(r"(?:u?int\d+|float32|float64)", _c_name, p.type) for p in found.parameters]
    values = [
        f"*({kind}{'*' * p.pointer}*)a[{i}]"
        for i, (kind, p) in enumerate(zip(kinds, found.parameters, strict=True))
    ]
    casts = [f"(decltype(host_parameter<{i}>({found.name}))){value}" for i, value in enumerate(values)]
    return (
        f'extern "C" int start_{found.name}(const unsigned* shape, void** a) {{\n'
        f"    return host::launch(shape, [=] {{ {found.name}({', '.join(casts)}); }});\n}}\n"
    )


def _c_name(match: re.Match[str]) -> str:
    return {"float32": "float", "float64": "double"}.get(match[0], match[0] + "_t")


PARAMETER = """
template <size_t I, class... A> std::tuple_element_t<I, std::tuple<A...>> host_parameter(void (*)(A...));
"""


class OnHost:
    """A compiled source: ``library.name(shape, values)`` runs one launch on CPU memory."""

    def __init__(self, source: str, folder: Path) -> None:
        self.signatures = {one.name: one for one in signatures(source)}
        text = '#include "cuda_on_host.h"\n#include <tuple>\n' + ported(source) + PARAMETER
        text += "".join(starter(one) for one in self.signatures.values())
        file, library = folder / "kernel.cpp", folder / "kernel.so"
        file.write_text(text)
        flags = ["-std=c++17", "-O1", "-fPIC", "-shared", "-fpermissive", "-w", f"-I{HEADER}"]
        done = subprocess.run(
            ["g++", *flags, str(file), "-o", str(library)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[:4000]
        self._library = ctypes.CDLL(str(library))

    def start(self, name: str, shape: tuple[int, ...], values: list[Any]) -> None:
        """Run one launch to its end; values are addresses and numbers as the signature has them."""
        found = self.signatures[name]
        assert len(values) == len(found.parameters), f"{name} takes {len(found.parameters)} arguments"
        assert all(size > 0 for size in shape[:6]), shape
        held = [_boxed(p, value) for p, value in zip(found.parameters, values, strict=True)]
        pointers = (ctypes.c_void_p * len(held))(*(ctypes.addressof(one) for one in held))
        result = getattr(self._library, f"start_{name}")((ctypes.c_uint * 7)(*shape), pointers)
        assert result != 1, f"{name}: threads wait for others that never come"
        assert result == 0, f"{name}: no GPU takes a launch of {shape}"


def _boxed(parameter: inline.Parameter, value: Any) -> Any:
    return ctypes.c_void_p(value) if parameter.pointer else inline._SCALARS[parameter.type](value)


def three(sizes: Any) -> tuple[int, int, int]:
    """A grid or block as three sizes."""
    given = tuple(sizes) if isinstance(sizes, tuple) else (sizes,)
    return (*given, 1, 1)[:3]


class _Launcher:
    """Stands in for a kernel of `kernelopt.inline.cuda`, with its conversions and their checks."""

    def __init__(self, library: OnHost, name: str) -> None:
        self._library, self._signature = library, library.signatures[name]

    def __getitem__(self, where: tuple[Any, ...]) -> Callable[..., None]:
        shape = (*three(where[0]), *three(where[1]), where[2] if len(where) == 3 else 0)
        return lambda *given: self._library.start(self._signature.name, shape, self._values(given))

    def _values(self, given: tuple[Any, ...]) -> list[Any]:
        name, parameters = self._signature.name, self._signature.parameters
        return [inline._converter(name, p, "cpu")(value) for p, value in zip(parameters, given, strict=True)]


class _RawKernel:
    """Stands in for `cupy.RawKernel`."""

    def __init__(self, library: OnHost, name: str) -> None:
        self._library, self._name = library, name
        self.max_dynamic_shared_size_bytes = 48 << 10

    def __call__(self, grid: Any, block: Any, args: tuple[Any, ...], shared_mem: int = 0) -> None:
        assert isinstance(grid, tuple) and isinstance(block, tuple) and isinstance(args, tuple)
        assert shared_mem <= self.max_dynamic_shared_size_bytes
        for parameter, value in zip(self._library.signatures[self._name].parameters, args, strict=True):
            kind = "uint64" if isinstance(value, int) else getattr(value, "dtype", None)  # plain: 8 bytes
            assert parameter.pointer or str(kind) == parameter.type, f"{parameter} from {value!r}"
        values = [value.data_ptr() if isinstance(value, torch.Tensor) else value for value in args]
        self._library.start(self._name, (*three(grid), *three(block), shared_mem), values)


def namespace(file: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, Any]:
    """Names of the module after it ran, its kernels on the host."""
    made: dict[str, OnHost] = {}

    def build(source: str) -> OnHost:
        if source not in made:
            (folder / str(len(made))).mkdir()
            made[source] = OnHost(source, folder / str(len(made)))
        return made[source]

    def cuda(source: str, **_: Any) -> types.SimpleNamespace:
        library = build(source)
        return types.SimpleNamespace(**{name: _Launcher(library, name) for name in library.signatures})

    monkeypatch.setattr(inline, "cuda", cuda, raising=False)
    monkeypatch.setitem(sys.modules, "cupy", _cupy(build))
    stream = types.SimpleNamespace(cuda_stream=0)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda *_: stream)
    names: dict[str, Any] = {"__name__": f"kernel_{file.stem}"}
    exec(compile(file.read_text(), str(file), "exec"), names)
    return names


def _cupy(build: Callable[[str], OnHost]) -> types.ModuleType:
    class Stream:
        def __init__(self, _: int) -> None: ...
        def __enter__(self) -> Stream:
            return self

        def __exit__(self, *_: object) -> None: ...

    class RawModule:
        def __init__(self, *, code: str, options: tuple[str, ...] = ()) -> None:
            self._library = build(code)

        def get_function(self, name: str) -> _RawKernel:
            return _RawKernel(self._library, name)

    module = types.ModuleType("cupy")
    module.cuda = types.SimpleNamespace(ExternalStream=Stream)
    module.RawModule = RawModule
    module.RawKernel = lambda code, name, options=(): _RawKernel(build(code), name)
    module.from_dlpack = lambda tensor: tensor
    return module
