"""Every pair of (total cycles, vector cycles) of a kernel that was published, as the facts name it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kernelopt.npu import Buffer, Param, Spec

KERNELS = Path(__file__).resolve().parent / "kernels"
NPUEVAL = "NPUEval (AMD Research), notebooks and README, Phoenix"
GUIDE = "mlir-aie programming guide, section 4c (vector scalar multiplication)"


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure."""

    name: str
    file: str
    """Our kernel of that description, in `KERNELS`."""
    spec: Spec
    total: float
    """Published cycles between event0 and event1."""
    vector: float | None
    """Published INSTR_VECTOR cycles, where they are."""
    decoder: str
    """``pinned`` where repeat packets were counted once, ``exact`` where the figure is from elsewhere."""
    compiler: str
    source: str

    def text(self) -> str:
        """The kernel's source."""
        return (KERNELS / self.file).read_text(encoding="utf-8")


def _spec(name: str, arguments: str, buffers: tuple[Buffer, ...], *params: Param) -> Spec:
    return Spec(name, "", f"void {name}({arguments})", buffers, tuple(params))


def _pair(dtype: str, size: int, names: tuple[str, str]) -> tuple[Buffer, Buffer]:
    return Buffer(names[0], "input", (size,), dtype), Buffer(names[1], "output", (size,), dtype)


_ABS = _spec(
    "abs_int8",
    "int8_t *in_buffer, int8_t *out_buffer",
    _pair("int8", 1024, ("in_buffer", "out_buffer")),
)
_ADD = _spec(
    "add_offset_int8",
    "int8_t *in_buffer, int8_t *out_buffer, int8_t offset",
    _pair("int8", 256, ("in_buffer", "out_buffer")),
    Param("offset", -11, "int8"),
)
_ARGMAX = _spec(
    "argmax_bfloat16",
    "bfloat16 *input_vector, uint32_t *result",
    (Buffer("input_vector", "input", (64,), "bfloat16"), Buffer("result", "output", (), "uint32")),
)
_SCALE = _spec(
    "scale_int16",
    "int16_t *a, int16_t *c, int32_t factor",
    _pair("int16", 1024, ("a", "c")),
    Param("factor", 3, "int32"),
)

ROWS = (
    Row("abs_int8/scalar", "abs_int8_scalar.cc", _ABS, 9990, 0, "pinned", "peano", NPUEVAL),
    Row("abs_int8/16 lanes", "abs_int8_16_lanes.cc", _ABS, 540, 31, "pinned", "peano", NPUEVAL),
    Row("add_offset_int8/scalar", "add_offset_int8_scalar.cc", _ADD, 2502, 0, "pinned", "peano", NPUEVAL),
    Row("add_offset_int8/64 lanes", "add_offset_int8_64_lanes.cc", _ADD, 35, 2, "pinned", "peano", NPUEVAL),
    Row("argmax_bfloat16/scalar", "argmax_bfloat16_scalar.cc", _ARGMAX, 616, 63, "pinned", "peano", NPUEVAL),
    Row("int16 scale/scalar", "scale_int16_scalar.cc", _SCALE, 10250, None, "exact", "chess", GUIDE),
    Row("int16 scale/32 lanes", "scale_int16_32_lanes.cc", _SCALE, 495, None, "exact", "chess", GUIDE),
    Row("int16 scale/pipelined", "scale_int16_pipelined.cc", _SCALE, 72, None, "exact", "chess", GUIDE),
)
"""All published pairs that are known here."""
