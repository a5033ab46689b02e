"""Every Triton kernel in its interpreter, against its reference: ``TRITON_INTERPRET=1 python FILE small``.

Prints a line of JSON: task to verdict. A process of its own, because Triton decides when it is imported.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
import triton.language as tl
from triton.runtime.interpreter import InterpreterBuilder, TensorHandle

from benchmarks.gpu.catalogue import ENTRIES
from benchmarks.gpu.correct import check
from benchmarks.gpu.evaluate import kernel_module
from kernelopt.suites._load import load, make_model


def widen_products() -> None:
    """Triton 3.9 keeps bfloat16 as 16-bit integers when it interprets, and multiplies these as they are."""
    plain = InterpreterBuilder.create_dot

    def widened(value: TensorHandle) -> TensorHandle:
        if value.dtype.scalar != tl.bfloat16:
            return value
        return TensorHandle((value.data.astype(np.uint32) << 16).view(np.float32), tl.float32)

    InterpreterBuilder.create_dot = lambda self, a, b, *rest: plain(self, widened(a), widened(b), *rest)


def main(size: str) -> None:
    """Check all, at one size."""
    widen_products()
    torch.set_num_threads(1)
    verdicts = {}
    for entry in ENTRIES:
        module = load(entry.task(size))
        model = make_model(module, seed=1)
        answer = kernel_module(entry, "triton").ModelNew(*module.get_init_inputs())
        answer.load_state_dict(model.state_dict())
        found = check(module, model, answer, (11, 12), "cpu")
        verdicts[entry.name] = [found.ok, found.reason, found.worst]
    print(json.dumps(verdicts))


if __name__ == "__main__":
    main(sys.argv[1])
