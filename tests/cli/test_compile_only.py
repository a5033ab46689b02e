"""``--compile-only``, ``--target`` and ``--arch``: what they mean, and what is refused."""

import json

import pytest

from kernelopt.cli.main import main
from kernelopt.gpu import toolkit
from kernelopt.languages._cuda_guide import CUDA_EXAMPLE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--compile-only"], "--compile-only: for GPU kernels (cuda, cupy, triton), not cpp"),
        (["--target", "cuda", "--language", "cpp"], "--target cuda: kernels in cpp are for cpu"),
        (["--target", "cpu", "--language", "triton"], "--target cpu: kernels in triton are for cuda"),
        (["--arch", "sm_90"], "--arch is for --compile-only"),
        (["--target", "cuda", "--compile-only", "--arch", "sm_1"], "no architecture 'sm_1'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(arguments, words, capsys):
    for command in (["eval", "missing.py"], ["search"]):
        assert main([*command, *arguments]) == 2
        said = capsys.readouterr().err
        assert words in said and len(said.strip().splitlines()) == 1


def test_a_target_sets_the_language_and_cuda_asks_for_a_gpu(capsys):
    assert main(["eval", "missing.py", "--target", "cuda"]) == 2
    assert "language cuda: " in capsys.readouterr().err
    assert main(["eval", "missing.py", "--target", "cpu"]) == 2
    assert "missing.py: the kernel cannot be read" in capsys.readouterr().err


def test_nothing_is_compared_with_baselines_where_nothing_is_timed(tmp_path, capsys):
    file = tmp_path / "a.py"
    file.write_text(CUDA_EXAMPLE)
    arguments = ["--task", "1/12", "--target", "cuda", "--compile-only", "--baselines"]
    assert main(["eval", str(file), *arguments]) == 2
    assert "--baselines: nothing is timed with --compile-only" in capsys.readouterr().err


def test_an_executor_that_does_not_compile_is_refused(capsys):
    assert (
        main(["search", "--target", "cuda", "--compile-only", "--executor", "replay:x", "--limit", "1"]) == 2
    )
    assert "--executor replay:x: --compile-only compiles here" in capsys.readouterr().err


@pytest.mark.skipif(not toolkit.nvrtc_version(), reason="NVRTC is not installed")
def test_eval_tells_what_the_compilers_know_and_that_nothing_was_run(tmp_path, capsys):
    file = tmp_path / "a.py"
    file.write_text(CUDA_EXAMPLE)
    arguments = ["--task", "1/12", "--target", "cuda", "--compile-only", "--sandbox", "process", "--json"]
    assert main(["eval", str(file), *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["device"], found["correct"]) == ("COMPILED", "compiler", None)
    assert found["speedup"] is None and found["checks"] == []
    assert found["profiles"][0]["tool"] == "ptxas" and "128 bits" in found["asi"]


TASK = """
import torch
import torch.nn as nn

class Model(nn.Module):
    def forward(self, x):
        return torch.relu(x) * 2.0

def get_inputs():
    return [torch.randn(8, 64)]

def get_init_inputs():
    return []
"""


@pytest.mark.skipif(not toolkit.nvrtc_version(), reason="NVRTC is not installed")
def test_a_search_that_compiles_only_is_stamped_from_the_manifest_to_the_kernel(tmp_path, capsys):
    (tmp_path / "task.py").write_text(TASK)
    runs = ["--runs", str(tmp_path / "runs")]
    arguments = [
        "--suite",
        str(tmp_path / "task.py"),
        "--target",
        "cuda",
        "--compile-only",
        "--arch",
        "sm_80",
    ]
    budget = ["--budget-evals", "1", "--refinements", "0", "--sandbox", "process", "--quiet"]
    assert main(["search", *arguments, *budget, *runs, "--run-name", "one"]) == 0
    stamp = "compile only: not run, not checked, not timed"
    assert f"NOT MEASURED: {stamp}" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "runs" / "one" / "manifest.json").read_text())
    assert manifest["device"] == "compiler" and "sm_80" in manifest["machine_text"]
    assert manifest["conditions"] == {"timed": False, "runs": False, "note": stamp}
    (kernel,) = (tmp_path / "runs" / "one" / "kernels").glob("*.py")
    assert f"# COMPILED, {stamp}; device compiler" in kernel.read_text()
    assert main(["report", "one", *runs, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scores"]["all"]["best"]["compiled"] == 1 and found["tasks"][0]["speedup"] is None
