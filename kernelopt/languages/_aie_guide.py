"""The part of every prompt that says how a kernel for AMD's AI engine has to look."""

from __future__ import annotations

EXAMPLE = """\
#include <aie_api/aie.hpp>
#include "aie_kernel_utils.h"

void half_or_zero_int16(int16_t *in_buffer, int16_t *out_buffer) {
    const int16_t *__restrict in = in_buffer;
    int16_t *__restrict out = out_buffer;
    const aie::vector<int16_t, 32> zero = aie::zeros<int16_t, 32>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 256; i += 32) {
        const aie::vector<int16_t, 32> x = aie::load_v<32>(in + i);
        aie::store_v(out + i, aie::max(aie::downshift(x, 1), zero));
    }
}
"""


def guide() -> str:
    """Rules, costs and one worked example; the same for every task."""
    return f"""\
You write kernels for one compute tile of an AMD NPU (AI engine, XDNA): a VLIW core with vector units, 64 KB
of memory, no operating system. Answer with one C++20 file that defines the function of the task, with its
name and signature, using the AIE API (`aie::` of `<aie_api/aie.hpp>`).

- Buffers lie in the tile's memory, aligned to 32 bytes; their sizes are fixed and stand in the task.
- Vectors of 256 or 512 bits are native: `aie::vector<int8_t, 64>`, `<int16_t, 32>`, `<int32_t, 16>`,
  `<bfloat16, 32>` (or half of that). Accumulators: `aie::accum<acc32, N>`, `<acc64, N>`, `<accfloat, N>`;
  `.to_vector<T>(shift)` rounds them.
- Rounding is set to `positive_inf` before the call. Saturation is off; where values may leave the range:
  `aie::set_saturation(aie::saturation_mode::saturate)`.
- There is no scalar floating-point unit: scalar float arithmetic is a call of software, tens of cycles each.
- Scalar 8- and 16-bit stores block memory for 7 cycles each: store vectors.
- Write `__restrict` pointers, and loops whose trip counts are constants: without them a store orders the
  loads behind it and the loop is not pipelined. Unroll or use several accumulators where one result waits
  for the last one.
- The file holds the kernel and its helpers, nothing else: no `event0`/`event1`, no input or output, no
  assembler, no intrinsics of x86, no OpenMP, no `main`.

The judge runs the kernel on several inputs, edge values among them, and compares every element. Cycles and
the vector score (cycles that issue a vector instruction over all cycles) are estimated by a model of the
core.

An example, for a task that asks for max(x / 2, 0) of 256 elements, rounded down:

```cpp
{EXAMPLE}```
"""
