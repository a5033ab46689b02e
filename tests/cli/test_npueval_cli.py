"""The suite npueval on the command line: aie by default, labelled figures, one line for what is wrong."""

import json
import shutil

import pytest

from kernelopt.cli.main import main
from kernelopt.npu.spec import folder

RELU = ["--suite", "npueval", "--task", "relu_int8", "--sandbox", "process"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ was not found")
def test_a_kernel_is_evaluated_with_labelled_figures(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path / "cache"))
    kernel = folder() / "scalar" / "relu_int8.cc"
    assert main(["eval", str(kernel), *RELU, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["status"], data["language"], data["device"]) == ("PASSED", "aie", "npu_model")
    assert data["estimate"]["label"] == "estimated (host model)" and data["speedup"] is None
    assert data["estimate"]["modelled_speedup"] == 1.0
    assert main(["eval", str(kernel), *RELU]) == 0
    assert "cycles, 1.0x the scalar kernel" in (said := capsys.readouterr().out) and "estimated" in said


def test_the_tasks_of_npueval_take_no_other_language(capsys, tmp_path):
    file = tmp_path / "k.py"
    file.write_text("")
    assert main(["eval", str(file), *RELU, "--language", "cpp"]) == 2
    assert "the tasks of npueval are for kernels in aie" in capsys.readouterr().err


def test_a_search_of_npueval_writes_aie(capsys):
    assert main(["search", "--suite", "npueval", "--limit", "2", "--sandbox", "process", "--dry-run"]) == 0
    assert "aie" in capsys.readouterr().out


def test_other_suites_keep_their_language(capsys):
    assert main(["search", "--tasks", "1/1", "--sandbox", "process", "--dry-run"]) == 0
    assert "cpp" in capsys.readouterr().out


def test_tasks_are_shown_with_buffers_and_parameters(capsys):
    assert main(["suites", "show", "npueval", "--tasks", "conv1d_int32", "--json"]) == 0
    (task,) = json.loads(capsys.readouterr().out)["tasks"]
    assert task["inputs"] == ["int32[256]", "int32[3]"] and task["params"] == {"stride": 1}


def test_a_broken_official_file_fails_the_check_in_one_line(capsys, tmp_path):
    file = tmp_path / "npueval.jsonl"
    file.write_text("{}\n")
    assert main(["suites", "check", "npueval", "--suite-path", str(file)]) == 1
    assert f"{file}:1: no field 'kernel_name'" in capsys.readouterr().out


def test_a_folder_of_kernels_is_matched_by_name(tmp_path, capsys):
    (tmp_path / "other.cc").write_text("")
    assert main(["bench", str(tmp_path), "--suite", "npueval", "--tasks", "relu_int8"]) == 2
    assert "no .cc file is named like a task, for example relu_int8.cc" in capsys.readouterr().err


def test_kernels_for_the_npu_have_one_suite(capsys):
    assert main(["search", "--suite", "kernelbench", "--target", "npu", "--dry-run"]) == 2
    assert "kernels in aie are for the suite npueval" in capsys.readouterr().err


def test_doctor_tells_the_parts_that_a_real_npu_takes(capsys, monkeypatch):
    monkeypatch.setattr("kernelopt.cli.doctor._obstacle", lambda suite: None)
    assert main(["doctor", "--target", "npu"]) == 0
    said = capsys.readouterr().out
    assert all(part in said for part in ("host model", "Peano", "mlir-aie", "XRT", "NPU device"))
    assert "g++" not in said.split("host model")[0]
    assert "kernelopt search --suite npueval can run here" in said
