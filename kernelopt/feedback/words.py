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
NOT_REPEATABLE: Final = "the same input gives different outputs from run to run"

# Performance.
ONE_THREAD: Final = "runs on one thread"
NOT_VECTORIZED: Final = "loop was not vectorized"
DOUBLE_MATH: Final = "converts to double precision inside a float loop"
STRIDED_ACCESS: Final = "reads memory with a stride in the inner loop"
BANDWIDTH_BOUND: Final = "memory bandwidth is the roof"
COMPUTE_BOUND: Final = "arithmetic is the roof"
SEVERAL_PASSES: Final = "moves the data more often than the task needs"
SLOWER: Final = "slower than the reference"
