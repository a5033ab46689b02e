"""`kernelopt suites`: what people and programs read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from kernelopt.cli._selection import selection_options
from kernelopt.cli.main import main
from kernelopt.cli.suites import command
from kernelopt.errors import UsageError
from kernelopt.suites import SuiteOptions


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def data(*arguments: str | Path, code: int = 0) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture
def ops(tmp_path: Path, module: str) -> Path:
    folder = tmp_path / "ops"
    folder.mkdir()
    (folder / "add.py").write_text(module)
    (folder / "tiny.py").write_text(module.replace("x + 1.0", "x * 1e-6"))
    return folder


def test_list_names_every_suite_and_its_task_set(checkout: Callable[..., Path]) -> None:
    lines = run("list", "--suite-path", checkout({1: 100})).output.splitlines()
    assert any(line.endswith("kernelbench (official, level 1, 100 tasks, commit 423217d)") for line in lines)
    assert any("kernelbench-core (bundled, " in line for line in lines)
    assert any(line.startswith("file ") for line in lines)


def test_list_goes_on_when_a_suite_cannot_load(tmp_path: Path) -> None:
    found = {suite["name"]: suite["text"] for suite in data("list", "--suite-path", tmp_path)["suites"]}
    assert found["kernelbench"].startswith("not usable: --suite-path")
    assert found["kernelbench-core"].startswith("kernelbench-core (bundled")


def test_show_prints_shapes_bytes_and_flops(ops: Path) -> None:
    lines = run("show", ops).output.splitlines()
    assert lines[0].split() == ["id", "name", "size", "inputs", "outputs", "parameters", "bytes", "FLOPs"]
    assert lines[1].split("  ")[-4:][-1].strip() == "8.19 k"
    assert "float32[128, 64]" in lines[1]
    assert "65.5 kB" in lines[1]
    assert lines[-1] == "file (ops, 2 tasks)"


def test_show_as_json_is_stable(ops: Path) -> None:
    found = data("show", ops, "--tasks", "add")
    assert found.keys() == {"suite", "provenance", "notes", "tasks"}
    assert found["provenance"] == {
        "suite": "file",
        "official": False,
        "tasks": 1,
        "detail": "ops",
        "shrunk": None,
        "text": "file (ops, 1 task)",
    }
    (task,) = found["tasks"]
    assert task.pop("hash")
    tensor = {"shape": [128, 64], "dtype": "float32", "bytes": 32768}
    facts = {
        "inputs": [tensor],
        "parameters": 0,
        "parameter_bytes": 0,
        "outputs": [tensor],
        "flops": 8192,
        "largest_bytes": 32768,
        "bytes_moved": 65536,
        "memory_bytes": 65536,
    }
    about = {"id": "add", "name": "add", "level": None, "size": "as given", "tags": [], "note": ""}
    assert task == {**about, "facts": facts}


def test_show_says_what_it_cannot_know(ops: Path) -> None:
    (ops / "broken.py").write_text((ops / "add.py").read_text().replace("features = 64", "features = 1 // 0"))
    (ops / "helper.py").write_text("x = 1\n")
    output = run("show", ops).output
    assert "broken: " in output
    assert "ZeroDivisionError" in output
    assert "left out: " in output
    found = {task["id"]: task["facts"] for task in data("show", ops)["tasks"]}
    assert found["broken"] is None
    assert found["add"] is not None


def test_show_selects(checkout: Callable[..., Path]) -> None:
    root = checkout({1: 100, 2: 100})
    found = data("show", "kernelbench", "--suite-path", root, "--levels", "1-2", "--tasks", "1/23, 2/9")
    assert [task["id"] for task in found["tasks"]] == ["1/23", "2/9"]
    found = data("show", "kernelbench", "--suite-path", root, "--subset", "representative", "--limit", "3")
    assert [task["id"] for task in found["tasks"]] == ["1/1", "1/3", "1/6"]


def test_show_shrinks(checkout: Callable[..., Path]) -> None:
    root = checkout({1: 100})
    found = data("show", "kernelbench", "--suite-path", root, "--limit", "1", "--shrink", "64")
    assert found["provenance"]["shrunk"] == 64
    assert found["provenance"]["official"] is False
    assert found["tasks"][0]["size"] == "shrunk 64"
    assert found["tasks"][0]["facts"]["inputs"][0]["shape"] == [2, 64]


def test_check_runs_each_reference_and_warns(ops: Path) -> None:
    result = run("check", ops)
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.output.splitlines()[:2]] == [["OK", "add"], ["OK", "tiny"]]
    assert "zeros would pass" in result.output
    assert result.output.splitlines()[-1] == "2 OK"


def test_check_says_which_weak_tasks_the_judge_s_inputs_make_strong(ops: Path) -> None:
    text = (ops / "add.py").read_text()
    (ops / "relu.py").write_text(text.replace("x + 1.0", "torch.relu(x)"))
    (ops / "void.py").write_text(text.replace("x + 1.0", "x * 0"))
    reports = {report["task_id"]: report for report in data("check", ops)["tasks"]}
    assert reports["relu"]["weak"] == ["identity"]
    assert reports["relu"]["uninformative"] == []
    assert reports["void"]["uninformative"] == ["constant", "previous", "zeros"]
    assert "a verdict says little" in reports["void"]["warnings"][-1]
    assert reports["add"]["weak"] == reports["tiny"]["weak"] == []


def test_check_fails_when_a_task_does(ops: Path) -> None:
    (ops / "nan.py").write_text((ops / "add.py").read_text().replace("x + 1.0", "x / 0"))
    assert run("check", ops).exit_code == 1
    found = data("check", ops, code=1)
    assert found["counts"] == {"OK": 2, "FAILED": 1, "SKIPPED": 0, "UNAVAILABLE": 0}
    reports = {report["task_id"]: report for report in found["tasks"]}
    words = {"task_id", "outcome", "reason", "warnings", "weak", "uninformative", "seconds"}
    assert reports["nan"].keys() == words
    assert "not finite" in reports["nan"]["reason"]
    assert reports["tiny"]["warnings"] == ["zeros would pass"]


def test_check_reports_a_file_that_is_no_task(checkout: Callable[..., Path]) -> None:
    root = checkout({1: 2})
    (root / "KernelBench" / "level1" / "2_Add_2.py").write_text("import torch\n")
    found = data("check", "kernelbench", "--suite-path", root, code=1)
    assert found["provenance"] is None
    assert "2_Add_2.py:1: the module ends without" in found["tasks"][0]["reason"]


def test_check_says_which_tasks_need_a_model(checkout: Callable[..., Path], module: str) -> None:
    source = "from transformers import AutoModel\nmodel_name = 'nobody/nothing'\n" + module
    found = data("check", "kernelbench", "--suite-path", checkout({4: 2}, source))
    assert found["counts"]["UNAVAILABLE"] == 2
    assert "transformers" in found["tasks"][0]["reason"] or "nobody/nothing" in found["tasks"][0]["reason"]


def test_there_is_nothing_to_fetch_for_files(ops: Path) -> None:
    result = run("fetch", ops)
    assert isinstance(result.exception, UsageError)
    assert "has nothing to fetch" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "kernelbnch"], "no suite and no path 'kernelbnch'; suites: file, kernelbench"),
        (["show", "kernelbench", "--tasks", "1/999"], "has no task '1/999'; did you mean"),
        (["show", "kernelbench", "--levels", "9"], "has no level 9"),
        (["show", "kernelbench", "--levels", "x"], "'x' is no level; write 1, 1,3 or 1-3"),
        (["show", "kernelbench", "--levels", "3-1"], "'3-1' is no level"),
        (["show", "kernelbench", "--subset", "nothing"], "is tagged 'nothing'; tags here:"),
        (["show", "kernelbench", "--size", "huge"], "has no size 'huge'; it has: cpu, gpu"),
        (["show", "kernelbench", "--limit", "0"], "--limit"),
        (["check", "kernelbench", "--shrink", "x"], "--shrink"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suites", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_the_flags_become_suite_options() -> None:
    seen: list[SuiteOptions] = []

    @click.command()
    @selection_options
    def probe(selection: SuiteOptions) -> None:
        seen.append(selection)

    flags = "--suite-path d --levels 1,3-4 --tasks 1/2,,3/4 --subset a --size gpu --limit 5 --shrink 6"
    for arguments in (flags.split(), []):
        assert CliRunner().invoke(probe, arguments).exit_code == 0
    full = SuiteOptions(Path("d"), (1, 3, 4), ("1/2", "3/4"), "a", "gpu", shrink=6, limit=5)
    assert seen == [full, SuiteOptions()]


def test_a_configuration_file_may_give_lists() -> None:
    seen: list[SuiteOptions] = []

    @click.command()
    @selection_options
    def probe(selection: SuiteOptions) -> None:
        seen.append(selection)

    given = {"levels": [1, 2], "tasks": ["1/2"]}
    assert CliRunner().invoke(probe, [], default_map=given).exit_code == 0
    assert (seen[0].levels, seen[0].tasks) == ((1, 2), ("1/2",))


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from kernelopt.cli.main import main; main(['suites', 'show', '--help']); "
        "print(sorted({'torch', 'numpy', 'huggingface_hub', 'litellm'} & sys.modules.keys()))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
