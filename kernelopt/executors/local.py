"""Executor `local`: judges on this machine, each in a process of its own."""

from __future__ import annotations

import dataclasses
import os
import platform
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from kernelopt.evaluation import Evaluation
from kernelopt.executors import Rules, calibration
from kernelopt.executors._judge_process import JudgeProcess, Order, on_gpu
from kernelopt.kernel import Kernel
from kernelopt.resources import cache_dir
from kernelopt.task import Task

if TYPE_CHECKING:
    from kernelopt.evaluator.judge import Judge
    from kernelopt.evaluator.settings import Settings
    from kernelopt.evaluator.turns import Turns
    from kernelopt.executors._gpu_judge import GpuJudge
    from kernelopt.languages import Language
    from kernelopt.npu.judge import AieJudge
    from kernelopt.sandboxes import Sandbox

JUDGES = 2
"""Side by side, where there are as many cores: while one builds or checks, so does the other. More of them
would wait for each other's timings, and each holds a PyTorch of its own and two more in its sandboxes."""
MEMORY = 6 << 30
"""Bytes that a machine has for more than one judge."""


class LocalExecutor:
    """Evaluates in up to `JUDGES` processes. They work side by side; what is timed is timed alone."""

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
        `environment`: variables of the judges' processes besides ours; which GPU they see, say.
        """
        self._sandbox, self._rules, self._baselines = sandbox, rules or Rules(), baselines
        self._environment = dict(environment or {})
        self._changed = threading.Condition()
        self._judges: list[JudgeProcess] = []
        self._idle: list[JudgeProcess] = []
        self._turns = ""

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """Evaluate with the first judge that is free, and wait (see `JudgeProcess.evaluate`)."""
        with self._judge(task, 1 if on_gpu(kernel.language) else judges()) as judge:
            return judge.evaluate(kernel, task)

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
        """End the judges and their sandboxes; the next evaluation starts new ones."""
        with self._changed:
            made, self._judges, self._idle = self._judges, [], []
            turns, self._turns = self._turns, ""
        for judge in made:
            judge.close()
        if turns:
            shutil.rmtree(turns, ignore_errors=True)

    @contextmanager
    def _judge(self, task: Task, most: int) -> Iterator[JudgeProcess]:
        """A judge that is free; a new one where none is and there are fewer than `most`.

        Rather one that has seen the task, and holds its inputs and expected outputs; else the one used last.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._idle or len(self._judges) < most)
            known = [judge for judge in self._idle if task.hash in judge.tasks]
            judge = (known or self._idle or [self._new(alone=most == 1)])[-1]
            if judge in self._idle:
                self._idle.remove(judge)
            judge.tasks.add(task.hash)
        try:
            yield judge
        finally:
            with self._changed:
                if judge in self._judges:  # not closed meanwhile
                    self._idle.append(judge)
                self._changed.notify()

    def _new(self, *, alone: bool) -> JudgeProcess:
        if not alone and not self._turns:
            self._turns = tempfile.mkdtemp(prefix="kernelopt-turns-")
        turns = "" if alone else self._turns
        order = Order(self._sandbox, self._rules, self._baselines, self._environment, turns)
        self._judges.append(JudgeProcess(order))
        return self._judges[-1]


def judges() -> int:
    """How many judges this machine has room for."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(JUDGES, len(os.sched_getaffinity(0))) if memory >= MEMORY else 1


def make_judge(
    sandbox: str, settings: Settings | None, *, plain: bool = False, turns: Turns | None = None
) -> Judge:
    """A judge with all that this machine offers: languages, profiler, and the sandbox of that name.

    A `plain` one takes no static look and makes no profiles: references are to pass, and to be timed.
    `turns`: where other judges work beside it.
    """
    from kernelopt.registry import get

    candidates, references = _warmed(get("sandboxes", sandbox))
    # Not before: these import torch, and so do both sandboxes' workers meanwhile.
    from kernelopt.evaluator.calibration import Unlooked
    from kernelopt.evaluator.judge import Judge
    from kernelopt.executors._profiler import profile

    def language(name: str) -> Language:
        found: Language = get("languages", name)()
        return Unlooked(found) if plain else found

    profiler = None if plain else profile
    return Judge(candidates, references, language, cache_dir(), settings, profiler, turns=turns)


def _warmed(plugin: Callable[..., Sandbox]) -> tuple[Sandbox, Sandbox]:
    """A sandbox for candidates, which shows compilers our headers, and one for references."""
    from kernelopt.evaluator.tools import readable

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
    from kernelopt.evaluator.tools import SandboxTools
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
    from kernelopt.evaluator.tools import SandboxTools
    from kernelopt.npu import peano
    from kernelopt.npu.judge import AieJudge
    from kernelopt.registry import get
    from kernelopt.sandboxes import Limits

    chain = peano.installed()
    made = get("sandboxes", sandbox)(peano.folders(chain))
    tools = SandboxTools(made, Limits())
    return AieJudge(tools, made.level, cache_dir(), strict=rules.strict, chain=chain)


def _compiler() -> str:
    try:
        done = subprocess.run(["g++", "--version"], capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "none"
    return done.stdout.splitlines()[0] if done.stdout else "none"


PLUGIN = LocalExecutor
