"""One judge for all tests of this folder: its warm workers are what makes the tests quick."""

import dataclasses

import pytest
from honest_kernel import HONEST, TASK

from kernelopt.evaluator.judge import Judge
from kernelopt.evaluator.settings import Look, Settings
from kernelopt.kernel import Kernel
from kernelopt.registry import get
from kernelopt.sandboxes.process import ProcessSandbox

QUICK = Settings(looks=(Look(1, 6, 0.05),), batch_ms=1.0, run_timeout_s=20.0)


@pytest.fixture(scope="session")
def judge(tmp_path_factory):
    made = Judge(
        ProcessSandbox(),
        ProcessSandbox(),
        lambda name: get("languages", name)(),
        tmp_path_factory.mktemp("cache"),
        QUICK,
    )
    yield made
    made.close()


@pytest.fixture
def evaluate(judge):
    """Evaluate a module text, or the honest kernel with one piece replaced."""

    def run(source=HONEST, *, replace=None, task=TASK, static=True, **settings):
        for old, new in (replace or {}).items():
            assert old in source, f"{old!r} is not in the kernel"
            source = source.replace(old, new)
        judge.settings = dataclasses.replace(QUICK, **settings)
        kernel = Kernel.from_source(source, "cpp")
        if static:
            return judge.evaluate(kernel, task)
        original, judge._inspect = judge._inspect, lambda *_: None
        try:
            return judge.evaluate(kernel, task)
        finally:
            judge._inspect = original

    return run
