"""A judge in a process of its own, so that no other thread disturbs its clock."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import Evaluation
from kernelopt.executors import Rules, calibration
from kernelopt.executors._heap import keep_freed_memory
from kernelopt.kernel import Kernel
from kernelopt.task import Task

if TYPE_CHECKING:
    from kernelopt.evaluator.judge import Judge
    from kernelopt.executors._gpu_judge import GpuJudge
    from kernelopt.npu.judge import AieJudge

GPU = "cuda"
"""The device whose clocks are looked at around an evaluation."""
AIE = "aie"
"""The language whose kernels are no modules of PyTorch, and have a judge of their own."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a judge is made with."""

    sandbox: str
    rules: Rules
    baselines: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of its process besides ours; which GPU it sees, say."""
    turns: str = ""
    """Folder by which judges take turns (see `evaluator.turns`); empty where there is one only."""


class JudgeProcess:
    """One evaluation at a time; a judge that dies is replaced."""

    def __init__(self, order: Order):
        self._order = order
        self.tasks: set[str] = set()
        """Hashes of the tasks that it was asked about."""
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """Evaluate and wait; tried once more should the judge itself die.

        Raises:
            TaskError: the reference does not load.
            EvaluatorFault: the judge died twice on the same kernel.
        """
        for attempt in (1, 2):
            try:
                return self._submit(kernel, task).result()
            except BrokenProcessPool:
                if attempt == 2:
                    break
        raise EvaluatorFault(f"the judge process died twice on kernel {kernel.hash} of task {task.id}")

    def close(self) -> None:
        """End the judge and its sandboxes; the next evaluation starts another one."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool:
            pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, kernel: Kernel, task: Task) -> Future[Evaluation]:
        """Queue one evaluation. A judge that died is replaced for the next one."""
        with self._lock:
            if self._pool is None:
                self._pool = self._start()
            try:
                return self._pool.submit(_evaluate, kernel, task)
            except BrokenProcessPool:
                self._pool = self._start()
                return self._pool.submit(_evaluate, kernel, task)

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            max_workers=1,
            # Spawned, not forked: the parent has threads.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self._order,),
        )


def on_gpu(language: str) -> bool:
    """Whether kernels of a language run on a GPU."""
    from kernelopt.registry import get

    return str(get("languages", language)().device) == GPU


# In the judge's process -------------------------------------------------------------------------

_order: Order | None = None
_judges: dict[str, Judge | AieJudge | GpuJudge] = {}


def _begin(order: Order) -> None:
    global _order  # noqa: PLW0603  (one judge a process is the point of the process)
    os.environ.update(order.environment)  # before anything looks for a GPU
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    _order = order


def _follow(parent: int) -> None:
    """End with the search, even if it was killed; the sandboxes then see their pipe close.

    Not PR_SET_PDEATHSIG: that fires when the *thread* that started us ends.
    """
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _evaluate(kernel: Kernel, task: Task) -> Evaluation:
    kind = AIE if kernel.language == AIE else GPU if on_gpu(kernel.language) else "modules"
    if kind not in _judges:
        assert _order is not None
        _judges[kind] = _make(_order, kernel.language)
    return _judges[kind].evaluate(kernel, task)


def _make(order: Order, language: str) -> Judge | AieJudge | GpuJudge:
    """The judge for a language, when its first kernel comes: PyTorch's takes seconds to load."""
    from kernelopt.executors.local import make_aie_judge, make_gpu_judge, make_judge, settings_for

    if language == AIE:
        return make_aie_judge(order.sandbox, order.rules)
    from kernelopt.evaluator.baselines import names
    from kernelopt.evaluator.turns import FileTurns

    settings, gpu = calibration.apply(settings_for(order.rules)), on_gpu(language)
    if order.baselines:
        settings = dataclasses.replace(settings, baselines=names(GPU if gpu else "cpu"))
    if gpu:
        card = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
        return make_gpu_judge(order.sandbox, settings, card)
    turns = FileTurns(Path(order.turns)) if order.turns else None
    if turns is None:
        return make_judge(order.sandbox, settings)
    with turns.step():  # not while another judge times: three processes import PyTorch
        return make_judge(order.sandbox, settings, turns=turns)
