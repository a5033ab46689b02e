"""Which of PyTorch's own operators run during a call, as its profiler sees them.

A text can hide what it calls in a hundred ways: decorators, registries, operators of its own written in
Python, functions taken out of a pickle. All of them end in PyTorch's dispatcher, which tells its profiler.
Nothing that decides alone: the candidate shares this process and could forge what is said here.
"""

from __future__ import annotations

import contextlib
import functools
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import thread as pools
from typing import Any

from events import apart, largest, nested

try:  # taken here, before there is a candidate that could put something else in their place
    from torch import Tensor, empty
    from torch._C import _autograd, _profiler

    _START, _STOP = _autograd._enable_profiler_legacy, _autograd._disable_profiler_legacy
    _DETACH = Tensor.detach
except (ImportError, AttributeError):
    _START = None
try:
    _READY, _ON, _OFF = _autograd._prepare_profiler, _autograd._enable_profiler, _autograd._disable_profiler
    _WHERE = {_profiler.ProfilerActivity.CPU}
    _OPTIONS = _profiler._ExperimentalConfig(profile_all_threads=True)
except (NameError, AttributeError, TypeError):  # this PyTorch has none of all threads
    _OPTIONS = None
_SIZE, _CLOCK = random.SystemRandom().randrange, time.time_ns

LARGE = 1 << 62
COMPILER = "torch._inductor.compile_fx"
"""The module that `torch.compile` cannot do without; what it compiles calls no operator."""
DISTURBED, OUTLIVED = "torch.profiler", "threading.Thread"
"""Names of what is no operator: the profiler was taken off, and a thread that was not seen to the end."""
SLACK_NS = 1000
"""What rounding may take from the time between two events."""
_STARTER = "_start_joinable_thread" if hasattr(threading, "_start_joinable_thread") else "_start_new_thread"
"""What `threading` starts threads with, before and from Python 3.13 on."""
GRACE_S = 2.0
"""Time for a thread to end that has handed over its result."""


def prepare() -> None:
    """Let nobody ask whether a profiler is there, and behave well where one is: no kernel has to know."""
    import torch.autograd

    with contextlib.suppress(NameError):
        for space in (torch.autograd, _autograd):
            space._profiler_enabled = bool  # called, it says no


def watched(call: Callable[[], Any]) -> tuple[Any, list | None]:
    """What `call` returns, and the operators that it ran: [names, largest argument, us].

    Names are those of an operator and of the operators that it is inside of, the outermost one first, with
    a stroke between them; sizes are in elements. None instead of a list where this PyTorch has no such
    profiler.
    """
    watch = Watch()
    if watch.config is None:
        return call(), None
    with watch.everywhere(), watch.threads():
        result = watch.noted(call)
    found = largest([*nested(watch.events), *watch.elsewhere])
    told = (
        ("torch.compile", COMPILER in sys.modules),
        (DISTURBED, watch.disturbed),
        (OUTLIVED, watch.outlived),
    )
    return result, found + [[name, LARGE, 0.0] for name, said in told if said]


class Watch:
    """Notes what runs in this thread, and in threads and pools of Python's; a profiler is of one thread."""

    def __init__(self) -> None:
        self.events: list = []
        self.elsewhere: list = []
        """What ran in threads that began before the call: as `nested` tells it."""
        self.disturbed = self.outlived = False
        """Whether a profiler was not there all the time; whether a thread has not ended."""
        self._noting, self._running = threading.local(), []
        self.config = None
        with contextlib.suppress(AttributeError, TypeError):
            if _START:
                ways = True, False, False, False, False  # with shapes, and nothing else
                options = _profiler._ExperimentalConfig()
                self.config = _profiler.ProfilerConfig(_profiler.ProfilerState.CPU, *ways, options)

    def noted(self, call: Callable[..., Any], *args: Any) -> Any:
        """The same call, noted."""
        if getattr(self._noting, "now", False):  # it runs inside of one that is noted
            return call(*args)
        self._noting.now = True
        try:
            with self._profiled():
                return call(*args)
        finally:
            self._noting.now = False

    @contextlib.contextmanager
    def _profiled(self) -> Iterator[None]:
        """One profiler from here to there, as its own events have to show.

        The first and the last operator are on a tensor of a size that is drawn here. Who takes the profiler
        off and puts another one in its place could repeat that; but then it begins too late.
        """
        sign = empty(1).expand(_SIZE(1 << 20, 1 << 40))
        if not self._begun():
            yield
            return
        began = _CLOCK()
        _DETACH(sign)
        try:
            yield
        finally:
            ended = _CLOCK()
            _DETACH(sign)
            self._take(sign.numel(), ended - began)

    def _begun(self) -> bool:
        """Start the profiler of this thread, where there is none yet: one that is there is not ours."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _START(self.config)
        except RuntimeError:
            self.disturbed = True
        return not self.disturbed

    def _take(self, size: int, least_ns: int) -> None:
        """Stop the profiler, and see whether it was there for so long at least."""
        try:
            events = [event for thread in _STOP() for event in thread]
        except RuntimeError:
            self.disturbed = True
            return
        begun = [one for one in events if one.name() == "__start_profile"]
        signs = [one for one in events if one.name() == "aten::detach" and one.shapes() == [[size]]]
        whole = begun and len(signs) > 1 and begun[0].cpu_elapsed_us(signs[-1]) * 1000 >= least_ns - SLACK_NS
        self.disturbed |= not whole
        self.events += events

    @contextlib.contextmanager
    def threads(self) -> Iterator[None]:
        """Note what Python's threads and pools run meanwhile.

        Threads are followed where they begin, as a class of threads may have whatever methods.
        """
        start, pooled = getattr(threading, _STARTER), pools._WorkItem.run
        setattr(threading, _STARTER, functools.partial(self._begin, start))
        pools._WorkItem.run = lambda item: self.noted(pooled, item)
        try:
            yield
        finally:
            setattr(threading, _STARTER, start)
            pools._WorkItem.run = pooled
            self._await()

    @contextlib.contextmanager
    def everywhere(self) -> Iterator[None]:
        """Note what runs in threads that have begun already, where there are any: it costs a few ms."""
        if _OPTIONS is None or not _others():
            yield
            return
        ways = True, False, False, False, False
        config = _profiler.ProfilerConfig(_profiler.ProfilerState.KINETO, *ways, _OPTIONS)
        try:
            _READY(config, _WHERE)
            _ON(config, _WHERE)
        except RuntimeError:
            self.disturbed = True
            yield
            return
        try:
            yield
        finally:
            try:
                self.elsewhere = apart(_OFF().events())
            except RuntimeError:
                self.disturbed = True

    def _begin(self, start: Callable[..., Any], function: Callable[..., Any], *args: Any, **how: Any) -> Any:
        """What starts a thread, whose function is noted; those of pools go on, and their items are noted."""
        if _is_of_pool(getattr(function, "__self__", None)):
            return start(function, *args, **how)

        def run(*args: Any) -> None:
            try:
                self.noted(function, *args)
            finally:
                self._running.pop()

        self._running.append(function)
        return start(run, *args, **how)

    def _await(self) -> None:
        """Wait for the threads that have begun: what they ran is known once they ended."""
        deadline = time.monotonic() + GRACE_S
        while self._running and time.monotonic() < deadline:
            time.sleep(0.001)
        self.outlived = bool(self._running)


def _is_of_pool(thread: Any) -> bool:
    """Whether it is a plain thread that takes items from the queue of a pool."""
    return type(thread) is threading.Thread and getattr(thread, "_target", None) is pools._worker


def _others() -> bool:
    """Whether there is a thread of Python's that is neither this one nor one of a pool."""
    pooled = {thread.ident for thread in threading.enumerate() if _is_of_pool(thread)}
    return not sys._current_frames().keys() <= {threading.get_ident(), *pooled}
