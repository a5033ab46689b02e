"""Fixed phrases of the ASI, so that readers (people, tests, the builtin writer) can rely on them.

Each is a fragment that stands in a fuller sentence. Change one here and every side follows.
"""

from __future__ import annotations

from typing import Final

# Where it stopped.
FALLBACK: Final = "the answer calls the framework's own operators"
CUT_OFF: Final = "the reply was cut off"

# Mismatch patterns.
ALL_ZERO: Final = "every wrong element is zero"
TAIL_WRONG: Final = "only elements in the tail of each row are wrong"
LAST_BLOCK_WRONG: Final = "only elements at the end of the output are wrong"
HAS_NAN: Final = "the output holds NaN or Inf where the reference is finite"
CONSTANT_FACTOR: Final = "the output is the reference times a constant"
CONSTANT_OFFSET: Final = "the output is the reference plus a constant"
SHIFTED: Final = "the output is the reference shifted along an axis"
TRANSPOSED: Final = "the output is the reference transposed"
LARGE_ONLY: Final = "only elements with large inputs are wrong"
SMALL_ERRORS: Final = "errors are small but everywhere, as from reduced precision or a rough approximation"
REDUCED_PRECISION: Final = "the error looks like that of a shorter type than float32"
NOT_REPEATABLE: Final = "the same input gives different outputs from run to run"
ONE_VALUE: Final = "every wrong element has the same value"
UNINITIALIZED: Final = "the output looks like memory that was never written"
PER_INDEX: Final = "the output is off by one constant for each index of an axis"
PER_ROW: Final = "the output is off by one constant for each row"
AFFINE: Final = "the output is the reference times a constant plus a constant"
ONE_SLICE: Final = "only one slice of the output is wrong"
EVERY_KTH: Final = "only every k-th element is wrong"
BORDERS_WRONG: Final = "only elements at the borders are wrong"
PART_WRONG: Final = "only one part of an axis is wrong"
ONE_ELEMENT: Final = "a single element is wrong"
ONE_SIGN: Final = "only elements of one sign are wrong"
ZERO_EXPECTED: Final = "the output is wrong where the reference is zero"
NEAR_TOLERANCE: Final = "few elements are wrong, and those only just"
NO_PATTERN: Final = "the wrong elements show no simple pattern"

# Performance.
ONE_THREAD: Final = "runs on one thread"
NOT_VECTORIZED: Final = "loop was not vectorized"
FUNCTION_CALL: Final = "function call in the loop"
DOUBLE_MATH: Final = "converts to double precision inside a float loop"
STRIDED_ACCESS: Final = "reads memory with a stride in the inner loop"
BANDWIDTH_BOUND: Final = "memory bandwidth is the roof"
COMPUTE_BOUND: Final = "arithmetic is the roof"
SEVERAL_PASSES: Final = "moves the data more often than the task needs"
NARROW_LOADS: Final = "global loads fetches 128 bits"
DOUBLE_INSTRUCTIONS: Final = "double-precision instructions"
NO_TENSOR_CORES: Final = "uses no tensor cores"
SLOWER: Final = "slower than the reference"
NO_DIFFERENCE: Final = "no clear difference from the reference"
