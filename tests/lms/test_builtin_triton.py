"""The builtin writer's Triton, in Triton's interpreter against PyTorch in fp64."""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_builtin_cuda import CASES, source
from test_builtin_write import ALL, run

from kernelopt.lms._builtin.write_gpu import write_triton
from kernelopt.resources import folder
from kernelopt.suites._constants import constants, rewrite

pytestmark = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")

QUICK = [
    ("wide", "chain"),
    ("small", "softmax"),
    ("small", "layer_norm"),
    ("small", "softmax_middle"),
    ("wide", "long_softmax"),
    ("small", "bmm"),
    ("small", "cumsum"),
    ("small", "max_pool"),
    ("small", "conv"),
    ("small", "recurrence"),
    ("small", "argmax"),
    ("small", "waves"),
]
BASICS = frozenset({"row_max", "epsilon"})


def verdicts(cases, skills) -> dict[str, str]:
    """Case to ``right`` or what is wrong."""
    texts = {f"{kind}-{name}": source(kind, name) for kind, name in cases}
    return judged({name: [text, write_triton(text, skills)] for name, text in texts.items()})


def judged(wanted: dict[str, list[str]]) -> dict[str, str]:
    """Name to verdict, from one process of its own: Triton decides when it is imported."""
    script = Path(__file__).with_name("interpreted_answers.py")
    ended = subprocess.run(
        [sys.executable, str(script)],
        input=json.dumps(wanted),
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout)


def test_one_of_each_family_is_right_in_the_interpreter():
    found = verdicts(QUICK, ALL)
    assert found == dict.fromkeys(found, "right") and len(found) == len(QUICK)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("skills", [BASICS, ALL], ids=["naive", "all"])
def test_every_family_is_right_in_the_interpreter(skills):
    found = verdicts(CASES, skills)
    assert found == dict.fromkeys(found, "right") and len(found) == len(CASES)


def test_a_beginner_takes_small_blocks():
    text = source("wide", "chain")
    assert "tl.arange(0, 128)" in write_triton(text, BASICS)
    assert "tl.arange(0, 1024)" in write_triton(text, ALL)


def test_same_question_same_answer():
    text = source("small", "layer_norm")
    assert write_triton(text, ALL) == write_triton(text, ALL)


# --- The bundled tasks, at small sizes -----------------------------------------------------------------

BUNDLED = sorted((folder("benchmarks") / "kernelbench" / "core").glob("level*/*.py"))
FEW = ("12_Softmax", "14_LayerNorm", "20_Column_sum")


def smaller(text: str) -> str:
    """The task with its large sizes divided, as far as its reference then still runs."""
    found = {name: value for name, value in constants(text).items() if type(value) is int and value > 15}
    for divisor in (16, 8, 4, 2):
        changed = rewrite(text, {name: max(8, value // divisor) for name, value in found.items()})
        with contextlib.suppress(Exception):
            space = run(changed)
            with torch.no_grad():
                space["Model"](*space["get_init_inputs"]())(*space["get_inputs"]())
            return changed
    return text


def bundled(files) -> dict[str, str]:
    tasks = {file.stem: smaller(file.read_text()) for file in files}
    return judged({name: [text, write_triton(text, ALL)] for name, text in tasks.items()})


def test_some_bundled_tasks_are_right_in_the_interpreter():
    found = bundled([file for file in BUNDLED if file.stem in FEW])
    assert found == dict.fromkeys(FEW, "right")


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_all_bundled_tasks_are_right_in_the_interpreter():
    found = bundled(BUNDLED)
    assert found == dict.fromkeys(found, "right") and len(found) == len(BUNDLED)
