"""Executor `local`: a judge in a process of its own, so that no other thread disturbs its clock."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import platform
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TYPE_CHECKING

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import Evaluation
from kernelopt.executors import Rules, calibration
from kernelopt.executors._heap import keep_freed_memory
from kernelopt.kernel import Kernel
from kernelopt.resources import cache_dir
from kernelopt.task import Task

if TYPE_CHECKING:
    from kernelopt.evaluator.judge import Judge
    from kernelopt.evaluator.settings import Settings
    from kernelopt.executors._gpu_judge import GpuJudge
    from kernelopt.languages import Language
    from kernelopt.npu.judge import AieJudge
    from kernelopt.sandboxes import Sandbox

GPU = "cuda"
"""The device whose clocks are looked at around an evaluation."""
AIE = "aie"
"""The language whose kernels are no modules of PyTorch, and have a judge of their own."""
_start_judge: Callable[[str], Judge | AieJudge | GpuJudge] | None = None
_judges: dict[str, Judge | AieJudge | GpuJudge] = {}


class LocalExecutor:
    """One evaluation at a time on this machine: two would disturb each other's timings."""

    name = "local"

    def __init__(
        self,
        argument: str = "",
        sandbox: str = "process",
        rules: Rules | None = None,
        *,
        baselines: bool = False,
        environment: Mapping[str, str] | None = None,
    ):
        """`argument` is what follows a colon in `--executor`; this executor takes none.

        `baselines`: kernels that pass are also compared with compiled references (`Evaluation.baselines`).
        `environment`: variables of the judge's process besides ours; which GPU it sees, say.
        """
        self._sandbox, self._rules, self._baselines = sandbox, rules or Rules(), baselines
        self._environment = dict(environment or {})
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

    def describe(self) -> dict[str, str]:
        """Machine, compiler, versions and isolation, for the manifest."""
        from kernelopt.registry import get

        device, gpu = get("devices", "cpu")().describe(), get("devices", "cuda")()
        return {
            **device,
            **({"gpu": gpu.describe()["model"]} if gpu.missing() is None else {}),
            "isolation": self._sandbox,
            "noise": f"{calibration.used()} between processes",
            "compiler": _compiler(),
            "python": platform.python_version(),
        }

    def close(self) -> None:
        """End the judge and its sandboxes."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

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
            initargs=(self._sandbox, self._rules, self._baselines, self._environment),
        )


def make_judge(sandbox: str, settings: Settings | None, *, plain: bool = False) -> Judge:
    """A judge with all that this machine offers: languages, profiler, and the sandbox of that name.

    A `plain` one takes no static look and makes no profiles: references are to pass, and to be timed.
    """
    from kernelopt.registry import get

    candidates, references = _warmed(get("sandboxes", sandbox))
    # Not before: these import torch, and so do both sandboxes' workers meanwhile.
    from kernelopt.evaluator.judge import Judge
    from kernelopt.evaluator.timing.calibration import Unlooked
    from kernelopt.executors._profiler import profile

    def language(name: str) -> Language:
        found: Language = get("languages", name)()
        return Unlooked(found) if plain else found

    profiler = None if plain else profile
    return Judge(candidates, references, language, cache_dir(), settings, profiler)


def _warmed(plugin: Callable[..., Sandbox]) -> tuple[Sandbox, Sandbox]:
    """A sandbox for candidates, which shows compilers our headers, and one for references."""
    from kernelopt.evaluator.workers.tools import readable

    both: tuple[Sandbox, Sandbox] = plugin(readable(cache_dir())), plugin()
    try:
        for sandbox in both:
            sandbox.warm()
    except BaseException:
        for sandbox in both:
            sandbox.close()
        raise
    return both


def make_gpu_judge(sandbox: str, settings: Settings | None, card: str) -> GpuJudge:
    """A judge on the one GPU that this process sees, with what stands around it (see `_gpu_judge`).

    `card` is that GPU as ``CUDA_VISIBLE_DEVICES`` has it, which sandboxes pass on.
    """
    from kernelopt.registry import get
    from kernelopt.sandboxes._gpu import find

    plugin = partial(get("sandboxes", sandbox), gpu=card)
    candidates, references = _warmed(plugin)
    from kernelopt.evaluator.judge import Judge
    from kernelopt.evaluator.workers.tools import SandboxTools
    from kernelopt.executors._gpu_judge import GpuJudge, present_arch
    from kernelopt.executors._profiler import profile

    judge = Judge(
        candidates, references, lambda name: get("languages", name)(), cache_dir(), settings, profile
    )
    # A sandbox of its own: the judge's is its own to drive, and this one starts when it is first needed.
    tools = SandboxTools(plugin(), judge.settings.limits)
    return GpuJudge(judge, tools, find(card).environment(), present_arch)


def settings_for(rules: Rules) -> Settings:
    """How evaluations are made under these rules."""
    from kernelopt.evaluator.settings import Settings

    asked = dataclasses.asdict(rules)
    precision = asked.pop("precision") or "usual"
    return Settings(**asked).precise(precision)


def make_aie_judge(sandbox: str, rules: Rules) -> AieJudge:
    """A judge of kernels for the NPU's host model, with the sandbox of that name."""
    from kernelopt.evaluator.workers.tools import SandboxTools
    from kernelopt.npu import peano
    from kernelopt.npu.judge import AieJudge
    from kernelopt.registry import get
    from kernelopt.sandboxes import Limits

    chain = peano.installed()
    made = get("sandboxes", sandbox)(peano.folders(chain))
    tools = SandboxTools(made, Limits())
    return AieJudge(tools, made.level, cache_dir(), strict=rules.strict, chain=chain)


def _begin(sandbox: str, rules: Rules, baselines: bool, environment: Mapping[str, str]) -> None:
    global _start_judge  # noqa: PLW0603  (one judge a process is the point of the process)
    os.environ.update(environment)  # before anything looks for a GPU
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    _start_judge = partial(_start, sandbox, rules, baselines)


def _start(sandbox: str, rules: Rules, baselines: bool, language: str) -> Judge | AieJudge | GpuJudge:
    """The judge for a language, when its first kernel comes: PyTorch's takes seconds to load."""
    if language == AIE:
        return make_aie_judge(sandbox, rules)
    from kernelopt.evaluator.timing.baselines import names

    settings = calibration.apply(settings_for(rules))
    if baselines:
        settings = dataclasses.replace(settings, baselines=names(GPU if _on_gpu(language) else "cpu"))
    if _on_gpu(language):
        return make_gpu_judge(
            sandbox, settings, os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
        )
    return make_judge(sandbox, settings)


def _follow(parent: int) -> None:
    """End with the search, even if it was killed; the sandboxes then see their pipe close.

    Not PR_SET_PDEATHSIG: that fires when the *thread* that started us ends.
    """
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _evaluate(kernel: Kernel, task: Task) -> Evaluation:
    kind = AIE if kernel.language == AIE else GPU if _on_gpu(kernel.language) else "modules"
    if kind not in _judges:
        assert _start_judge is not None
        _judges[kind] = _start_judge(kernel.language)
    return _judges[kind].evaluate(kernel, task)


def _on_gpu(language: str) -> bool:
    from kernelopt.registry import get

    return str(get("languages", language)().device) == GPU


def _compiler() -> str:
    try:
        done = subprocess.run(["g++", "--version"], capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "none"
    return done.stdout.splitlines()[0] if done.stdout else "none"


PLUGIN = LocalExecutor
