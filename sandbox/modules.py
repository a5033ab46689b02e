"""A kernel's module: executed, compiled, given weights; and what went wrong in it, as data."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
"""Frames of files in here say nothing of a kernel."""
LOG_TAIL = 8000
NO_MEMORY = ("bad_alloc", "can't allocate memory", "OutOfMemoryError", "CUDA_ERROR_OUT_OF_MEMORY")
"""What torch, cupy and the driver say where there is no memory left."""


def execute(path: Path) -> dict:
    """Run a module file as `__main__`-free code whose tracebacks show its lines."""
    import types

    name = path.stem
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    exec(compile(path.read_text(), path.name, "exec"), module.__dict__)
    return module.__dict__


def compiled(model, mode: str, folder: Path):
    """`model` under ``torch.compile``, which may write to the job's folder only; or as a CUDA graph.

    It compiles in this process: workers that waited for more to do would be seen when it is stopped.
    """
    if mode == "cuda-graphs":
        import graphs

        return graphs.Replayed(model)
    places = {"TORCHINDUCTOR_CACHE_DIR": "inductor", "TRITON_CACHE_DIR": "triton"}
    os.environ.update({name: str(folder / place) for name, place in places.items()})
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    import torch

    return torch.compile(model, mode=mode)


def copy_state(model, path: Path) -> list[str]:
    """Give the model the reference's parameters where names and shapes agree; names of those it did not take.

    Names that are not its own are handed on as well: a model may know them by others, and rename them in
    ``_load_from_state_dict`` or a hook.
    """
    import torch

    if not path.exists() or not hasattr(model, "state_dict"):
        return []
    wanted = torch.load(path, weights_only=True)
    own = model.state_dict()
    fitting = {k: v for k, v in wanted.items() if k not in own or own[k].shape == v.shape}
    loaded = model.load_state_dict(fitting, strict=False)
    unknown = {name for name in getattr(loaded, "unexpected_keys", ()) if name in fitting}
    return [name for name in wanted if name not in fitting or name in unknown]


def describe_error(error: BaseException) -> dict:
    """What went wrong, as data: the exception's name, and the traceback without our own frames."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent != HERE]
    lines = traceback.format_list(frames) + traceback.format_exception_only(error)
    text = "".join(lines).replace(str(HERE), "sandbox")
    reply = {"error": type(error).__name__, "text": text[-LOG_TAIL:]}
    if isinstance(error, MemoryError) or any(word in text for word in NO_MEMORY):
        reply["memory"] = True
    if getattr(error, "is_build_error", False):
        reply["phase"] = "build"
    return reply
