"""Runs hostile module texts in a sandbox, the way the judge does."""

from kernelopt.evaluator.worker import Setup, Stopped, Worker
from kernelopt.sandboxes import Limits

HARMLESS = "class ModelNew:\n    pass\n"
SETUP = Setup("ModelNew", [], {}, 0, 1)


def load(sandbox, source, timeout_s=20.0, limits=None):
    """Load `source`; (how it stopped or None, the worker's log, how the process ended)."""
    worker = Worker(sandbox, limits or Limits())
    try:
        worker.load({"kernel.py": source}, "kernel.py", SETUP, lambda _: {"ok": False}, timeout_s=timeout_s)
        stopped = None
    except Stopped as stop:
        stopped = stop
    log = worker.log()
    worker.close()
    return stopped, log or (stopped.log if stopped else ""), worker.ended


def works(sandbox):
    """Whether an honest module still loads."""
    return load(sandbox, HARMLESS)[0] is None
