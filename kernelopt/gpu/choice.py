"""Which GPUs `--devices` names, and what a process is told so that it sees only one of them."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from kernelopt.errors import ConfigError, MissingTool
from kernelopt.gpu.lease import lease

WAIT_S = 600.0
"""How long to wait for a GPU that another process measures on."""
POLL_S = 0.5

_NUMBER = re.compile(r"[0-9]{1,3}")
_UUID = re.compile(r"(GPU|MIG)-[0-9A-Za-z/-]{4,80}")


def count() -> int:
    """How many GPUs are here; 0 where nothing tells."""
    from kernelopt.gpu import _look  # noqa: PLC0415 - it starts nvidia-smi

    return len(_look.gpus())


def chosen(
    names: Sequence[str],
    environment: Mapping[str, str] = os.environ,
    here: Callable[[], int] = count,
) -> tuple[str, ...]:
    """Names as CUDA takes them: where ``CUDA_VISIBLE_DEVICES`` is set, number n is its nth entry.

    Args:
        names: numbers as ``nvidia-smi`` counts, or UUIDs.
        environment: where that variable is looked up.
        here: how many GPUs there are, as far as anything tells.

    Raises:
        ConfigError: a name is neither, stands twice, or names no GPU that is here and visible.
    """
    seen = [part.strip() for part in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]
    found = [_one(name, seen) for name in names]
    if not found:
        raise ConfigError("--devices: name at least one GPU, for example --devices 0,1")
    if twice := next((name for name, one in zip(names, found, strict=True) if found.count(one) > 1), None):
        raise ConfigError(f"--devices: {twice} is named twice")
    most = max((int(one) for one in found if one.isdigit()), default=-1)
    if (known := here()) and most >= known:
        raise ConfigError(f"--devices {most}: GPUs here are numbered 0 to {known - 1} (nvidia-smi -L)")
    return tuple(found)


def _one(name: str, seen: Sequence[str]) -> str:
    if _UUID.fullmatch(name):
        return name
    if not _NUMBER.fullmatch(name):
        raise ConfigError(f"--devices {name}: no GPU; write its number or UUID as nvidia-smi -L prints them")
    number = int(name)
    if not seen:
        return str(number)
    if number < len(seen):
        return seen[number]
    raise ConfigError(f"--devices {name}: CUDA_VISIBLE_DEVICES shows {len(seen)} only, counted from 0")


def visible(name: str) -> dict[str, str]:
    """Variables of a process that is to see one GPU only, numbered as ``nvidia-smi`` and NVML do."""
    return {"CUDA_VISIBLE_DEVICES": name, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def lease_name(name: str) -> str:
    """The UUID of a GPU, where NVML tells it: all who share a card have to lease it by the same name."""
    if not _NUMBER.fullmatch(name):
        return name
    try:
        from kernelopt.gpu.nvml import Meter  # noqa: PLC0415 - of use to nobody but those with a driver

        with Meter(int(name)) as meter:
            return meter.uuid()
    except (ImportError, RuntimeError):
        return name


@contextmanager
def held(
    name: str,
    stop: threading.Event,
    say: Callable[[str], None],
    wait_s: float = WAIT_S,
    poll_s: float = POLL_S,
) -> Iterator[None]:
    """Hold a GPU for oneself; say so in one line if that means waiting.

    Args:
        name: of the GPU, as `chosen` returns it.
        stop: ends the waiting.
        say: is told that we wait.
        wait_s: how long to wait for another holder, in seconds.
        poll_s: how often to look, in seconds.

    Raises:
        MissingTool: another process still holds it, or the waiting was ended.
    """
    gpu, left = lease_name(name), wait_s
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(lease(gpu))
                break
            except MissingTool:
                if left <= 0 or stop.is_set():
                    raise
                if left == wait_s:
                    say(f"waiting up to {wait_s:.0f} s for GPU {name}: another measurement uses it")
            stop.wait(poll_s)
            left -= poll_s
        yield
