"""CPU tensors that pose as CUDA ones, so that code written for a GPU runs up to its launches.

`install(gpu)` makes ``device="cuda"``, ``.cuda()`` and ``.to("cuda")`` stay on the CPU, tensors say that
they are on ``cuda:0``, and ``torch.cuda`` answer as if one GPU like `gpu` were there. Nothing is hidden
from code that looks closely, and nothing needs to be: no verdict rests on what is seen here.
"""

from __future__ import annotations

import contextlib
import re
import types
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

LARGE = 1 << 24
"""Elements from which random tensors are fresh memory instead, which reads as zeros and costs nothing."""

_CUDA = re.compile(r"cuda(:\d+)?")
_RANDOM = tuple(getattr(torch, name) for name in ("rand", "randn", "randint", "rand_like", "randn_like"))
_STAYS = {"cuda", "pin_memory"}
_ANSWERS = {"is_cuda": True, "is_cpu": False, "device": torch.device("cuda", 0)}


class Posing(TorchFunctionMode):
    """Turns every request for a CUDA device into one for the CPU."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One call of torch, with its devices replaced."""
        name = getattr(func, "__name__", "")
        owner = getattr(getattr(func, "__self__", None), "__name__", "")
        if name == "__get__" and owner in _ANSWERS:
            return _ANSWERS[owner]
        if func is torch.device:
            return func(*args, **(kwargs or {}))
        if args and isinstance(args[0], torch.Tensor):
            if name in _STAYS:
                return args[0]
            if name in ("get_device", "record_stream"):
                return 0 if name == "get_device" else None
        kwargs = {key: on_cpu(value) for key, value in (kwargs or {}).items() if key != "pin_memory"}
        args = tuple(map(on_cpu, args))
        if func in _RANDOM:
            with torch._C.DisableTorchFunction():
                shaped = func(*args, **{**kwargs, "device": "meta", "generator": None})
            if shaped.numel() >= LARGE:
                return torch.empty(shaped.shape, dtype=shaped.dtype)
        return func(*args, **kwargs)


def on_cpu(value: Any) -> Any:
    """`value` with a CUDA device in it replaced."""
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type == "cuda" else value
    return "cpu" if isinstance(value, str) and _CUDA.fullmatch(value) else value


class Stream:
    """The default stream, or any other: nothing runs on it."""

    cuda_stream = ptr = 0
    device = torch.device("cuda", 0)
    null = None

    def __init__(self, *_: Any, **__: Any):
        self.device_index = 0

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was changed."""

    def query(self) -> bool:
        """All work is done."""
        return True

    def _nothing(self, *_: Any, **__: Any) -> None:
        """Nothing to wait for or to note."""

    synchronize = wait_stream = wait_event = use = launch_host_func = _nothing

    def record_event(self, event: Any = None) -> Any:
        """An event that has happened."""
        return event or Event()


class Event(Stream):
    """An event that has happened."""

    record = wait = Stream._nothing

    def elapsed_time(self, other: Any) -> float:
        """No time has passed."""
        return 1.0


class CUDAGraph:
    """A graph that holds nothing: what was captured has run once already."""

    def __init__(self, *_: Any, **__: Any):
        """Whatever it is made with."""

    def replay(self) -> None:
        """Nothing runs."""

    capture_begin = capture_end = reset = pool = replay


def install(gpu: dict) -> None:
    """From now on torch looks as if it ran on a GPU.

    `gpu`: ``name``, ``capability`` (two numbers), ``multiprocessors``, ``memory_bytes``, ``shared_bytes``.
    """
    properties = types.SimpleNamespace(
        name=gpu["name"],
        major=gpu["capability"][0],
        minor=gpu["capability"][1],
        multi_processor_count=gpu["multiprocessors"],
        total_memory=gpu["memory_bytes"],
        warp_size=32,
        max_threads_per_multi_processor=2048,
        regs_per_multiprocessor=65536,
        shared_memory_per_block=48 << 10,
        shared_memory_per_block_optin=gpu["shared_bytes"],
        shared_memory_per_multiprocessor=gpu["shared_bytes"] + 1024,
        L2_cache_size=50 << 20,
        is_integrated=0,
        gcnArchName="",
    )
    answers = {
        "is_available": True,
        "is_initialized": True,
        "is_bf16_supported": True,
        "is_current_stream_capturing": False,
        "device_count": 1,
        "current_device": 0,
        "get_device_name": gpu["name"],
        "get_device_capability": tuple(gpu["capability"]),
        "get_device_properties": properties,
        "mem_get_info": (gpu["memory_bytes"], gpu["memory_bytes"]),
        "memory_allocated": 0,
        "max_memory_allocated": 0,
        "memory_reserved": 0,
        "get_arch_list": ["sm_{}{}".format(*gpu["capability"])],
        "current_stream": Stream(),
        "default_stream": Stream(),
    }
    nothings = ("init", "_lazy_init", "synchronize", "empty_cache", "set_device", "ipc_collect")
    nothings += ("reset_peak_memory_stats", "manual_seed", "manual_seed_all", "set_stream")
    for name, answer in {**answers, **dict.fromkeys(nothings)}.items():
        setattr(torch.cuda, name, lambda *_, _answer=answer, **__: _answer)
    for name in ("stream", "device", "device_of"):
        setattr(torch.cuda, name, contextlib.nullcontext)
    torch.cuda.graph = lambda *_, **__: contextlib.nullcontext()
    torch.cuda.CUDAGraph = CUDAGraph
    torch.cuda.Stream = torch.cuda.ExternalStream = Stream
    torch.cuda.Event = Event
    torch.version.cuda = torch.version.cuda or "12.8"
    torch.set_default_device = lambda device: None
    torch.compile = lambda model=None, **_: (lambda function: function) if model is None else model
    Posing().__enter__()
