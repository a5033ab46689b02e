"""Which of PyTorch's own operators run during a call, as its profiler sees them.

A text can hide what it calls in a hundred ways: decorators, registries, operators of its own written in
Python, functions taken out of a pickle. All of them end in PyTorch's dispatcher, which tells its profiler.
Nothing that decides alone: the candidate shares this process and could forge what is said here.
"""

from __future__ import annotations

import contextlib
import math
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import thread as pools
from typing import Any

FRAMEWORK = {"aten", "prim", "prims", "quantized", "_quantized"}
FRAMEWORK |= {"mkldnn", "mkldnn_prepacked", "mkl", "onednn"}
"""Namespaces of PyTorch's own operators; any other belongs to the kernel."""
MOST, LARGE = 64, 1 << 62
COMPILER = "torch._inductor.compile_fx"
"""The module that `torch.compile` cannot do without; what it compiles calls no operator."""


def watched(call: Callable[[], Any]) -> tuple[Any, list | None]:
    """What `call` returns, and the operators that it ran: [name, elements of the largest argument].

    An operator inside of another one is left out; one inside of the kernel's own is not. None instead of
    a list where this PyTorch has no such profiler.
    """
    watch = Watch()
    if watch.config is None:
        return call(), None
    with watch.threads():
        result = watch.noted(call)
    found = outermost(watch.events)
    found += [["torch.compile", LARGE]] if COMPILER in sys.modules else []
    found += [["torch.profiler", LARGE]] if watch.stopped else []
    return result, found


class Watch:
    """Notes what runs in this thread, and in threads and pools of Python's; a profiler is of one thread."""

    def __init__(self) -> None:
        self.events: list = []
        self.stopped = False
        """Whether somebody else stopped the profiler."""
        try:
            from torch._C import _autograd, _profiler

            ways = True, False, False, False, False  # with shapes, and nothing else
            options = _profiler._ExperimentalConfig()
            self.config = _profiler.ProfilerConfig(_profiler.ProfilerState.CPU, *ways, options)
            self._start, self._stop = _autograd._enable_profiler_legacy, _autograd._disable_profiler_legacy
        except (ImportError, AttributeError, TypeError):
            self.config = None

    def noted(self, call: Callable[..., Any], *args: Any) -> Any:
        """The same call, noted."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._start(self.config)
        except RuntimeError:  # it runs inside of one that is noted
            return call(*args)
        try:
            return call(*args)
        finally:
            try:
                self.events += [event for thread in self._stop() for event in thread]
            except RuntimeError:
                self.stopped = True

    @contextlib.contextmanager
    def threads(self) -> Iterator[None]:
        """Note what Python's threads and pools run meanwhile."""
        plain, pooled = threading.Thread.run, pools._WorkItem.run

        def run(thread: Any) -> Any:
            endless = getattr(thread, "_target", None) is pools._worker
            return plain(thread) if endless else self.noted(plain, thread)

        threading.Thread.run = run
        pools._WorkItem.run = lambda item: self.noted(pooled, item)
        try:
            yield
        finally:
            threading.Thread.run, pools._WorkItem.run = plain, pooled


def outermost(events: Iterable[Any]) -> list:
    """The framework's operators that are inside of no other."""
    found: dict[str, int] = {}
    inside: list[bool] = []
    for event in events:
        kind = event.kind()
        if kind == "pop" and inside:
            inside.pop()
        if kind != "push":
            continue
        name = event.name()
        ours = "::" in name and name.partition("::")[0] in FRAMEWORK
        if ours and not any(inside) and len(found) < MOST:
            found[name] = max(found.get(name, 0), *map(math.prod, event.shapes()), 0)
        inside.append(ours)
    return [[name, size] for name, size in found.items()]
