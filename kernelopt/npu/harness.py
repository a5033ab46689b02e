"""A kernel's text → a program for the host, and the files through which it gets inputs and gives outputs.

The kernel's translation unit (`unit`) is its own text and a function of ours behind it that calls it
between the events, as the design on the chip does. The driver (`driver`) is a unit of its own: it reads
``inputs.bin``, calls, and writes ``outputs.bin``. Expected outputs are in neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernelopt.npu import C_TYPES, FAULT_CODE, ITEM_BYTES, Buffer, Param, Spec, Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

INPUTS, OUTPUTS = "inputs.bin", "outputs.bin"
KERNEL_FILE = "kernel.cc"
"""What a kernel's text is called in messages: lines count from its first one."""
CALL = "kernelopt_npu_call"
"""C name of the function in `unit` that a driver calls."""
POISON = 0xA5
"""Each byte of an output buffer before a call."""
GUARD_BYTES = 256
"""On either side of a buffer; a kernel that writes there is at fault."""

_UNIT = """#line 1 "{file}"
{source}
#line 1 "wrapper.cc"
extern "C" void {call}({parameters}) {{
    aie::set_rounding(aie::rounding_mode::positive_inf);
    event0();
    {name}({arguments});
    event1();
}}
"""

_DRIVER = """#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" void {call}({types});
extern "C" void kernelopt_npu_buffer(const void *address, size_t bytes, const char *name);

static const int guard = {guard}, poison = {poison};
{arrays}

static void check(const unsigned char *start, size_t bytes, size_t room, const char *name) {{
    for (size_t i = 0; i < room; ++i) {{
        const bool inside = i >= (size_t)guard && i < guard + bytes;
        if (!inside && start[i] != poison) {{
            fprintf(stderr, "aie fault: {file}:0: a store outside of the buffer %s, %ld bytes %s\\n", name,
                    i < (size_t)guard ? (long)(guard - i) : (long)(i - guard - bytes + 1),
                    i < (size_t)guard ? "before it" : "behind its last element");
            fflush(stderr);
            _Exit({fault});
        }}
    }}
}}

int main(int, char **) {{
    FILE *in = fopen("{inputs}", "rb");
    FILE *out = fopen("{outputs}", "wb");
    if (!in || !out) return 3;
    uint32_t calls = 0;
    if (fread(&calls, 4, 1, in) != 1) return 3;
{register}
    for (uint32_t call = 0; call < calls; ++call) {{
{scalars}
{fill}
        {call}({arguments});
{empty}
    }}
    fclose(in);
    return fclose(out) ? 3 : 0;
}}
"""


def unit(source: str, spec: Spec) -> str:
    """The translation unit of a kernel: includes of the header, its text, and our wrapper behind it."""
    return "#include <aie_api/aie.hpp>\n" + _UNIT.format(
        file=KERNEL_FILE,
        source=source,
        call=CALL,
        parameters=", ".join(f"{_c_type(item)} {item.name}" for item in _arguments(spec)),
        name=spec.kernel,
        arguments=", ".join(_passed(item) for item in _arguments(spec)),
    )


def driver(spec: Spec) -> str:
    """The program around it: file of its own, needs no header of ours."""
    outputs, inputs = spec.outputs, spec.inputs
    arguments = [
        f"({_driver_type(item)}*)(room_{item.name} + guard)" if isinstance(item, Buffer) else f"p_{item.name}"
        for item in _arguments(spec)
    ]
    return _DRIVER.format(
        call=CALL,
        types=", ".join(_driver_type(i) + (" *" if isinstance(i, Buffer) else "") for i in _arguments(spec)),
        guard=GUARD_BYTES,
        poison=POISON,
        file=KERNEL_FILE,
        fault=FAULT_CODE,
        inputs=INPUTS,
        outputs=OUTPUTS,
        arrays="\n".join(
            f"alignas(64) static unsigned char room_{b.name}[{_room(b)}];" for b in spec.buffers
        ),
        register="\n".join(
            f'    kernelopt_npu_buffer(room_{b.name} + guard, {b.nbytes}, "{b.name}");' for b in spec.buffers
        ),
        scalars="\n".join(_scalar(param) for param in spec.params),
        fill="\n".join(_fill(buffer) for buffer in (*inputs, *outputs)),
        arguments=", ".join(arguments),
        empty="\n".join([*(_check(b) for b in spec.buffers), *(_write(b) for b in outputs)]),
    )


def pack(spec: Spec, vectors: Sequence[Vectors]) -> bytes:
    """Contents of ``inputs.bin``: the number of calls (u32), then for each its parameters, then its inputs.

    Little endian throughout; nothing is padded.
    """
    return len(vectors).to_bytes(4, "little") + b"".join(_pack(spec, one) for one in vectors)


def unpack(spec: Spec, data: bytes, calls: int) -> tuple[Mapping[str, NDArray[Any]], ...]:
    """What ``outputs.bin`` says; as many mappings as whole calls were written, `calls` at most."""
    size = sum(buffer.nbytes for buffer in spec.outputs)
    whole = min(calls, len(data) // size)
    return tuple(_unpack(spec, data[call * size : (call + 1) * size]) for call in range(whole))


def _arguments(spec: Spec) -> tuple[Buffer | Param, ...]:
    return (*spec.buffers, *spec.params)


def _c_type(item: Buffer | Param) -> str:
    if isinstance(item, Param):
        return _driver_type(item)
    return f"{'const ' if item.const else ''}{C_TYPES[item.dtype]} *"


def _driver_type(item: Buffer | Param) -> str:
    """The driver knows bfloat16 by its bits only."""
    return "uint16_t" if item.dtype == "bfloat16" else C_TYPES[item.dtype]


def _passed(item: Buffer | Param) -> str:
    """An argument as the wrapper hands it on."""
    bits = isinstance(item, Param) and item.dtype == "bfloat16"
    return f"__builtin_bit_cast(bfloat16, {item.name})" if bits else item.name


def _room(buffer: Buffer) -> int:
    return GUARD_BYTES + -(-buffer.nbytes // 64) * 64 + GUARD_BYTES


def _scalar(param: Param) -> str:
    name = f"p_{param.name}"
    return (
        f"        {_driver_type(param)} {name};\n"
        f"        if (fread(&{name}, {ITEM_BYTES[param.dtype]}, 1, in) != 1) return 3;"
    )


def _fill(buffer: Buffer) -> str:
    room = f"room_{buffer.name}"
    lines = [f"        memset({room}, poison, sizeof {room});"]
    if buffer.role == "input":
        lines.append(f"        if (fread({room} + guard, {buffer.nbytes}, 1, in) != 1) return 3;")
    return "\n".join(lines)


def _check(buffer: Buffer) -> str:
    room = f"room_{buffer.name}"
    return f'        check({room}, {buffer.nbytes}, sizeof {room}, "{buffer.name}");'


def _write(buffer: Buffer) -> str:
    return f"        if (fwrite(room_{buffer.name} + guard, {buffer.nbytes}, 1, out) != 1) return 3;"


def _pack(spec: Spec, one: Vectors) -> bytes:
    import numpy as np

    from kernelopt.npu import numpy_dtype

    params = [np.array(one.params[p.name], numpy_dtype(p.dtype)).tobytes() for p in spec.params]
    inputs = [np.ascontiguousarray(one.inputs[b.name], numpy_dtype(b.dtype)).tobytes() for b in spec.inputs]
    return b"".join([*params, *inputs])


def _unpack(spec: Spec, data: bytes) -> Mapping[str, NDArray[Any]]:
    import numpy as np

    from kernelopt.npu import numpy_dtype

    found, start = {}, 0
    for buffer in spec.outputs:
        part = data[start : start + buffer.nbytes]
        found[buffer.name] = np.frombuffer(part, numpy_dtype(buffer.dtype)).reshape(buffer.shape)
        start += buffer.nbytes
    return found
