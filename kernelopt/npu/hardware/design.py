"""Texts that are generated for a kernel: the unit, the mlir-aie design, and the program that runs it.

The design is NPUEval's: one compute tile (0, 2), a shim tile, one object FIFO of depth 2 for each buffer, the
whole buffer in one call, runtime parameters as constants of the call, and a trace of eight events behind the
output.
"""

from __future__ import annotations

import math

from kernelopt.errors import TaskError
from kernelopt.npu import C_TYPES, ITEM_BYTES, Buffer, Param, Spec
from kernelopt.npu.hardware import commands
from kernelopt.npu.trace import EVENTS

WRAPPER = "{name}_wrapper"
MOST_INPUTS = 2
_WORD = 4

_UNIT = """#include <aie_api/aie.hpp>
#line 1 "kernel.cc"
{source}
#line 1 "wrapper.cc"
extern "C" void {wrapper}({parameters}) {{
    aie::set_rounding(aie::rounding_mode::positive_inf);
    event0();
    {name}({arguments});
    event1();
}}
"""

_DESIGN = '''"""Generated: one compute tile that calls {wrapper} once, with a trace."""
import sys

import numpy as np
from aie.dialects.aie import *
from aie.dialects.aiex import *
from aie.extras.context import mlir_mod_ctx
from aie.helpers.dialects.ext.scf import _for as range_
import aie.utils.trace as trace_utils
from aie.utils.trace import PortEvent
from aie.utils.trace_events_enum import CoreEvent

TRACE_BYTES = {trace}


def design():
    @device(AIEDevice.{device})
    def device_body():
{types}
        call = external_func("{wrapper}", inputs=[{signature}])
        shim, compute = tile(0, 0), tile(0, 2)
{fifos}
        trace_utils.configure_packet_tracing_flow([compute], shim)

        @core(compute, "kernel.o", stack_size={stack})
        def core_body():
            for _ in range_(sys.maxsize):
{acquire}
                call({arguments})
{release}

        @runtime_sequence({sequence_types})
        def sequence({sequence}):
            trace_utils.configure_packet_tracing_aie2(
                tiles_to_trace=[compute],
                shim=shim,
                trace_size=TRACE_BYTES,
                trace_offset={output_bytes},
                ddr_id={last},
                coretile_events=[{events}],
            )
{transfers}
            dma_wait({waited})
            trace_utils.gen_trace_done_aie2(shim)


with mlir_mod_ctx() as ctx:
    design()
    valid = ctx.module.operation.verify()
    if valid is not True:
        sys.exit(f"design: {{valid}}")
    with open("design.mlir", "w") as out:
        out.write(str(ctx.module))
'''

_HOST = '''"""Generated: runs final.xclbin for each call in inputs.bin; writes outputs.bin and trace.txt."""
import struct
import sys

import numpy as np
import pyxrt as xrt

INPUTS = {inputs}
OUTPUT_BYTES, PADDED_BYTES, TRACE_BYTES = {output}, {padded}, {trace}
PARAM_BYTES = {params}

device = xrt.device(0)
xclbin = xrt.xclbin("final.xclbin")
device.register_xclbin(xclbin)
context = xrt.hw_context(device, xclbin.get_uuid())
kernel = xrt.kernel(context, xclbin.get_kernels()[0].get_name())
code = np.fromfile("insts.bin", dtype=np.uint32)
program = xrt.bo(device, code.nbytes, xrt.bo.cacheable, kernel.group_id(1))
program.write(code.view(np.uint8), 0)
program.sync(xrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE)
sizes = [*INPUTS, PADDED_BYTES + TRACE_BYTES]
buffers = [
    xrt.bo(device, max(size, 4), xrt.bo.host_only, kernel.group_id(3 + place))
    for place, size in enumerate(sizes)
]
with open("inputs.bin", "rb") as given, open("outputs.bin", "wb") as out:
    (calls,) = struct.unpack("<I", given.read(4))
    for turn in range(calls):
        given.read(PARAM_BYTES)
        for buffer, size in zip(buffers, INPUTS):
            data = np.frombuffer(given.read(size), dtype=np.uint8)
            buffer.write(np.pad(data, (0, -len(data) % 4)), 0)
            buffer.sync(xrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE)
        buffers[-1].write(np.zeros(PADDED_BYTES + TRACE_BYTES, dtype=np.uint8), 0)
        buffers[-1].sync(xrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE)
        state = kernel(3, program, len(code), *buffers).wait()
        if state != xrt.ert_cmd_state.ERT_CMD_STATE_COMPLETED:
            sys.exit(f"npu: the run ended as {{state}}")
        buffers[-1].sync(xrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE)
        raw = np.asarray(buffers[-1].read(PADDED_BYTES + TRACE_BYTES, 0), dtype=np.uint8)
        out.write(raw[:OUTPUT_BYTES].tobytes())
        if turn == 0:
            words = raw[PADDED_BYTES:].view(np.uint32)
            with open("trace.txt", "w") as trace:
                trace.write("\\n".join(f"{{word:08x}}" for word in words if word))
'''

_NUMPY = {**{name: name for name in ITEM_BYTES}, "bfloat16": "uint16"}


def unit(source: str, spec: Spec) -> str:
    """The translation unit that Peano compiles: the kernel and its wrapper between the events."""
    arguments: tuple[Buffer | Param, ...] = (*spec.buffers, *spec.params)
    return _UNIT.format(
        source=source,
        wrapper=WRAPPER.format(name=spec.kernel),
        name=spec.kernel,
        parameters=", ".join(_c(item) for item in arguments),
        arguments=", ".join(item.name for item in arguments),
    )


def _c(item: Buffer | Param) -> str:
    kind = C_TYPES[item.dtype]
    if isinstance(item, Param):
        return f"{kind} {item.name}"
    return f"{'const ' if item.const else ''}{kind} *{item.name}"


def padded(buffer: Buffer) -> int:
    """Bytes of a buffer in the design: transfers are of whole words."""
    return math.ceil(buffer.nbytes / _WORD) * _WORD


def check(spec: Spec) -> None:
    """Refuse what the design has no room for.

    Raises:
        TaskError: too many inputs, several outputs, or more data than a tile holds.
    """
    if not 1 <= len(spec.inputs) <= MOST_INPUTS or len(spec.outputs) != 1:
        raise TaskError(f"{spec.kernel}: the design has 1 or 2 inputs and 1 output")
    need = 2 * sum(padded(buffer) for buffer in spec.buffers) + commands.data()["stack_bytes"]
    if need > commands.data()["data_bytes"]:
        raise TaskError(
            f"{spec.kernel}: {need} bytes of buffers and stack; a tile has {commands.data()['data_bytes']}"
        )


def design(spec: Spec, machine: str) -> str:
    """A Python program for mlir-aie that writes ``design.mlir``.

    Raises:
        TaskError: see `check`.
        UnknownName: no such machine.
    """
    check(spec)
    data = commands.data()
    buffers = (*spec.inputs, *spec.outputs)
    last = len(buffers) - 1
    output = spec.outputs[0]
    return _DESIGN.format(
        wrapper=WRAPPER.format(name=spec.kernel),
        device=commands.machine(machine)["device"],
        trace=data["trace_bytes"],
        stack=data["stack_bytes"],
        types="\n".join(f"        {b.name}_ty = {_type(b)}" for b in buffers),
        signature=", ".join([*(f"{b.name}_ty" for b in spec.buffers), *(_scalar(p) for p in spec.params)]),
        fifos="\n".join(_fifo(b) for b in buffers),
        acquire="\n".join(_acquire(b) for b in buffers),
        arguments=", ".join(
            [*(f"{b.name}_elem" for b in spec.buffers), *(_constant(p) for p in spec.params)]
        ),
        release="\n".join(_release(b) for b in buffers),
        sequence_types=", ".join(f"{b.name}_ty" for b in buffers),
        sequence=", ".join(f"{b.name}_host" for b in buffers),
        output_bytes=padded(output),
        last=last,
        events=", ".join(_event(name) for name in EVENTS),
        transfers="\n".join(_transfer(b, place) for place, b in enumerate(buffers)),
        waited=f"{output.name}_fifo",
    )


def host(spec: Spec) -> str:
    """A Python program for XRT that does the calls of ``inputs.bin``."""
    check(spec)
    output = spec.outputs[0]
    return _HOST.format(
        inputs=[buffer.nbytes for buffer in spec.inputs],
        output=output.nbytes,
        padded=padded(output),
        trace=commands.data()["trace_bytes"],
        params=sum(ITEM_BYTES[param.dtype] for param in spec.params),
    )


def _type(buffer: Buffer) -> str:
    elements = padded(buffer) // ITEM_BYTES[buffer.dtype]
    return f"np.ndarray[({elements},), np.dtype[np.{_NUMPY[buffer.dtype]}]]"


def _scalar(param: Param) -> str:
    return f"np.{_NUMPY[param.dtype]}"


def _constant(param: Param) -> str:
    return repr(float(param.value) if param.dtype == "float32" else int(param.value))


def _fifo(buffer: Buffer) -> str:
    ends = "shim, compute" if buffer.role == "input" else "compute, shim"
    return f'        {buffer.name}_fifo = object_fifo("{buffer.name}", {ends}, 2, {buffer.name}_ty)'


def _port(buffer: Buffer) -> str:
    return "Consume" if buffer.role == "input" else "Produce"


def _acquire(buffer: Buffer) -> str:
    return (
        f"                {buffer.name}_elem = {buffer.name}_fifo.acquire(ObjectFifoPort.{_port(buffer)}, 1)"
    )


def _release(buffer: Buffer) -> str:
    return f"                {buffer.name}_fifo.release(ObjectFifoPort.{_port(buffer)}, 1)"


def _event(name: str) -> str:
    port = {"PORT_RUNNING_0": "1, True", "PORT_RUNNING_1": "1, False"}.get(name)
    return f"PortEvent(CoreEvent.{name}, {port})" if port else f"CoreEvent.{name}"


def _transfer(buffer: Buffer, place: int) -> str:
    elements = padded(buffer) // ITEM_BYTES[buffer.dtype]
    return (
        f"            npu_dma_memcpy_nd(metadata={buffer.name}_fifo, bd_id={place + 1}, "
        f"mem={buffer.name}_host, sizes=[1, 1, 1, {elements}], issue_token=True)"
    )
