"""Every Triton kernel in its interpreter, against its reference: ``TRITON_INTERPRET=1 python FILE small``.

Prints a line of JSON: task to verdict. A process of its own, because Triton decides when it is imported.
"""

from __future__ import annotations

import json
import sys

import torch

from benchmarks.gpu.catalogue import ENTRIES
from benchmarks.gpu.correct import check
from benchmarks.gpu.evaluate import kernel_module
from kernelopt.resources import folder
from kernelopt.suites._load import load, make_model

sys.path.insert(0, str(folder("sandbox")))
import interpreting


def main(size: str) -> None:
    """Check all, at one size."""
    interpreting.multiply_bfloat16()
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
