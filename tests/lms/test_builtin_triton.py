"""The builtin writer's Triton, in Triton's interpreter against PyTorch in fp64."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_builtin_cuda import CASES, source
from test_builtin_write import ALL

from kernelopt.lms._builtin.write_gpu import write_triton

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
    """Case to ``right`` or what is wrong, from one process of its own: Triton decides when it is imported."""
    script = Path(__file__).with_name("interpreted_answers.py")
    wanted = {
        f"{kind}-{name}": [source(kind, name), write_triton(source(kind, name), skills)]
        for kind, name in cases
    }
    ended = subprocess.run(
        [sys.executable, str(script)],
        input=json.dumps(wanted),
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
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
