"""Whether a kernel inside a sandbox can use a device at all, tried before any is blamed for it."""

from __future__ import annotations

import torch

from kernelopt.errors import MissingTool
from kernelopt.evaluator.workers.memory import Memory
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.worker import Setup, Worker
from kernelopt.sandboxes import Limits, Sandbox

KERNEL = """
import torch

class ModelNew(torch.nn.Module):
    def forward(self, x):
        return x + 1
"""
TIMEOUT_S = 60.0


def rehearse(sandbox: Sandbox, memory: Memory, limits: Limits) -> None:
    """Run a harmless kernel the way that others will be run.

    Raises:
        MissingTool: it does not get through, or the judge does not see what it computes.
    """
    worker = Worker(sandbox, limits, memory)
    x = torch.arange(64.0)
    slots = memory.slots([x], 1)
    try:
        setup = Setup("ModelNew", [], {}, 0, 1)
        worker.load({"kernel.py": KERNEL}, "kernel.py", setup, lambda _: {"ok": False}, timeout_s=TIMEOUT_S)
        worker.map(slots, x.numel() * x.element_size())
        slots.fill(0, [x])
        (found,) = worker.copy_out(worker.run(0, TIMEOUT_S))
    except Stopped as stopped:
        raise MissingTool(_told(sandbox, memory, stopped.reason)) from stopped
    finally:
        worker.close()
        slots.close()
    if found is None or not torch.equal(found, x + 1):
        raise MissingTool(_told(sandbox, memory, "the judge does not read there what a kernel wrote"))


def _told(sandbox: Sandbox, memory: Memory, reason: str) -> str:
    return (
        f"the sandbox {sandbox.name} lets no kernel use the device {memory.device}: {reason}; "
        f"try another one (--sandbox docker, bwrap or process)"
    )
