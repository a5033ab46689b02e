"""An evaluation on a GPU, made again where the card held back; the facts go with it.

Clocks, temperature and reasons are read before and after, by the judge's process and never during: another
thread would disturb its clock. No setting of the card is touched.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable

from kernelopt.evaluation import Evaluation
from kernelopt.gpu.nvml import Meter, State, spoilt, unthrottled

UNREAD = "not read"


def watched(evaluate: Callable[[], Evaluation], read: Callable[[], State] | None = None) -> Evaluation:
    """What `evaluate` returns, with the card's state in `Evaluation.environment`.

    An evaluation with a timing that was made while the card was throttled is thrown away and made again, at
    most `nvml.REDONE` times; the builds are cached by then. One that is still throttled says so.

    Args:
        evaluate: makes one evaluation.
        read: the state of its card; this process's own by default, through NVML.
    """
    if read is not None:
        return _watched(evaluate, read)
    with contextlib.ExitStack() as stack:
        try:
            meter = stack.enter_context(Meter(_card()))
            meter.read()
        except (ImportError, RuntimeError) as problem:
            return _with(evaluate(), {"gpu_clocks": f"{UNREAD}: {problem}"})
        return _watched(evaluate, meter.read)


def _watched(evaluate: Callable[[], Evaluation], read: Callable[[], State]) -> Evaluation:
    found, before, after, redone = unthrottled(evaluate, read, lambda one: one.timing is not None)
    facts = {
        "gpu_clocks": f"SM {before.sm_mhz} to {after.sm_mhz} MHz, "
        f"memory {before.memory_mhz} to {after.memory_mhz} MHz",
        "gpu_temperature": f"{before.temperature_c} to {after.temperature_c} °C",
    }
    if held := sorted({*before.held_back, *after.held_back}):
        facts["gpu_held_back"] = ", ".join(held)
    if redone:
        facts["gpu_redone"] = str(redone)
    if found.timing and (why := spoilt(before, after)):
        facts["gpu_throttled"] = ", ".join(why)
    return _with(found, facts)


def _with(found: Evaluation, facts: dict[str, str]) -> Evaluation:
    return dataclasses.replace(found, environment={**found.environment, **facts})


def _card() -> int | str:
    """The one GPU that this process sees, as NVML takes it: by number, or by UUID."""
    name = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0].strip()
    return int(name) if name.isdigit() else name or 0
