"""A task's text → a live module, its inputs and its model.

Reference code runs here, in the process that judges. Candidate code never does.
"""

from __future__ import annotations

import contextlib
import linecache
import math
import random
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from kernelopt.errors import TaskError
from kernelopt.task import Task

_CHUNK = 1 << 22
"""Elements that one thread fills from one generator; fixed, so that values do not depend on the machine."""
_PARALLEL_FROM = 1 << 20


def load(task: Task) -> ModuleType:
    """Execute the task's text in a fresh module, with its lines known to tracebacks.

    Raises:
        TaskError: the text fails when it is executed; the message names the line.
    """
    module = ModuleType(f"kernelopt_task_{task.slug}_{task.hash}")
    filename = f"<task {task.id} {task.hash}>"
    linecache.cache[filename] = (len(task.source), None, task.source.splitlines(keepends=True), filename)
    module.__file__ = filename
    module.__dict__["__task__"] = f"{task.origin or task.suite}: task {task.id}"
    sys.modules[module.__name__] = module  # dataclasses and inspect look classes up by module name
    with _blamed(module, "the module"), warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        exec(compile(task.source, filename, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    return module


def make_inputs(module: ModuleType, seed: int, device: str = "cpu") -> list[Any]:
    """What ``get_inputs()`` returns with every generator seeded, its tensors made on `device`.

    Large tensors from `torch.rand` and `torch.randn` on the CPU are filled by all threads; the same
    seed gives the same values whatever their number. Generators are left as they were found.

    Raises:
        TaskError: ``get_inputs()`` fails, or returns neither a list nor a tuple, or a dictionary within it.
    """
    filling = _ParallelFill() if torch.device(device).type == "cpu" else contextlib.nullcontext()
    with _blamed(module, "get_inputs()"), seeded(seed, device), torch.device(device), filling:
        inputs = module.get_inputs()
    if not isinstance(inputs, list | tuple):
        raise TaskError(f"{_name(module)}: get_inputs() returned {type(inputs).__name__}, not a list")
    _refuse_dicts(inputs, _name(module))
    return list(inputs)


def _refuse_dicts(inputs: Any, name: str, place: str = "") -> None:
    """Inputs in a dictionary reach no worker, and no change of inputs would apply to them."""
    for number, part in enumerate(inputs):
        here = f"{place}[{number}]"
        if isinstance(part, Mapping):
            raise TaskError(
                f"{name}: get_inputs() returned a dictionary at {here}, which cannot be passed to a kernel; "
                "return its values in a list or a tuple, or as arguments of their own"
            )
        if isinstance(part, list | tuple):
            _refuse_dicts(part, name, here)


def make_model(module: ModuleType, seed: int, device: str = "cpu") -> torch.nn.Module:
    """``Model(*get_init_inputs())`` with every generator seeded, its parameters on `device`.

    Raises:
        TaskError: either of the two fails, or `Model` makes no `torch.nn.Module`.
    """
    with _blamed(module, "Model(*get_init_inputs())"), seeded(seed, device), torch.device(device):
        model = module.Model(*module.get_init_inputs())
    if not isinstance(model, torch.nn.Module):
        raise TaskError(f"{_name(module)}: Model made a {type(model).__name__}, not a torch.nn.Module")
    return model


def run_model(module: ModuleType, model: torch.nn.Module, inputs: list[Any]) -> Any:
    """``model(*inputs)`` without gradients.

    Raises:
        TaskError: ``forward()`` fails.
    """
    with _blamed(module, "Model.forward()"), torch.no_grad():
        return model(*inputs)


@contextlib.contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed torch's, numpy's and Python's generators, and put their states back at the end."""
    kept_python, kept_numpy = random.getstate(), np.random.get_state()
    devices = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % (1 << 32))
        try:
            yield
        finally:
            random.setstate(kept_python)
            np.random.set_state(kept_numpy)


def _name(module: ModuleType) -> str:
    return str(getattr(module, "__task__", module.__name__))


@contextlib.contextmanager
def _blamed(module: ModuleType, what: str) -> Iterator[None]:
    """Turn whatever the task's own code raises into a TaskError that names its line."""
    try:
        yield
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == module.__file__]
        where = f" at line {lines[-1]}" if lines else ""
        text = str(error).strip().split("\n", maxsplit=1)[0]
        reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
        raise TaskError(f"{_name(module)}: {what} failed{where}: {reason}") from error


class _ParallelFill(TorchFunctionMode):
    """Fills large CPU tensors of `torch.rand` and `torch.randn` with several threads."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in (torch.rand, torch.randn) or not _plain(args, kwargs):
            return func(*args, **kwargs)
        out = torch.empty(*args, **kwargs)
        if out.dtype not in (torch.float32, torch.float64):
            return func(*args, **kwargs)
        _fill(out.detach().view(-1), func is torch.randn)
        return out


def _plain(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a factory call makes a large CPU tensor from the default generator."""
    sizes = args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args
    sizes = sizes or kwargs.get("size", ())
    if {"out", "generator", "names"} & kwargs.keys() or not all(isinstance(size, int) for size in sizes):
        return False
    device = kwargs.get("device")
    return math.prod(sizes) >= _PARALLEL_FROM and (device is None or torch.device(device).type == "cpu")


def _fill(flat: torch.Tensor, normal: bool) -> None:
    """Fill a one-dimensional CPU tensor; chunk by chunk, each with a generator of its own."""
    base = int(torch.randint(1 << 62, (1,), device="cpu"))
    starts = range(0, flat.numel(), _CHUNK)
    jobs = [_job(flat[start : start + _CHUNK], base + start, normal) for start in starts]
    with ThreadPoolExecutor(max_workers=torch.get_num_threads()) as pool:
        for result in [pool.submit(job) for job in jobs]:
            result.result()


def _job(chunk: torch.Tensor, seed: int, normal: bool) -> Callable[[], object]:
    if normal:
        return lambda: chunk.normal_(generator=torch.Generator().manual_seed(seed))
    # Of the generators at hand numpy's SFC64 makes uniform numbers fastest, without holding the GIL.
    generator = np.random.Generator(np.random.SFC64(seed))
    array = chunk.numpy()
    return lambda: generator.random(out=array, dtype=array.dtype.type)
