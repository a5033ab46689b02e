"""`kernelopt doctor`: what is here, what is not, the command that adds it; and that no key is shown."""

import dataclasses
import json
import re
import stat
from pathlib import Path

import click
import pytest

from kernelopt import registry
from kernelopt.cli import doctor
from kernelopt.cli.main import cli, main
from kernelopt.errors import ConfigError
from kernelopt.gpu import toolkit
from kernelopt.gpu._look import Gpu
from kernelopt.languages import _gxx
from kernelopt.resources import pip_install

GUIDE = (Path(__file__).parents[2] / "docs/cuda.md").read_text()


def kit(gpus=(), **there):
    """A toolkit in which everything is missing but `there`: name to version."""

    def tool(name):
        add = toolkit.how_to_add(
            name.replace("_", "-") if name == "cuda_bindings" else name.replace("_", " ")
        )
        if name not in there:
            return toolkit.Tool(name, add=add)
        return toolkit.Tool(name, f"/opt/{name}", there[name], "CUDA_HOME", add)

    names = [one.name for one in dataclasses.fields(toolkit.Toolkit) if one.name != "gpus"]
    return toolkit.Toolkit(**{name: tool(name) for name in names}, gpus=tuple(gpus))


@pytest.fixture
def machine(monkeypatch):
    """A function that lays a machine of given sandboxes (name to what it lacks) under the command; quick,
    because no engine is asked and no task is looked at.
    """

    def lay(tasks=None, **sandboxes):
        closed = []

        def plugin(name):
            class Fake:
                def missing(self):
                    return sandboxes[name]

                def close(self):
                    closed.append(name)

            return Fake

        names, get = registry.names, registry.get
        monkeypatch.setattr(
            registry, "names", lambda kind: [*sandboxes] if kind == "sandboxes" else names(kind)
        )
        monkeypatch.setattr(
            registry, "get", lambda kind, name: plugin(name) if kind == "sandboxes" else get(kind, name)
        )
        monkeypatch.setattr(toolkit, "find", kit)
        monkeypatch.setattr("kernelopt.suites._fit.select", tasks or (lambda *_, **__: None))
        return closed

    return lay


def run(capsys, *flags):
    """Exit code and what was printed."""
    code = main(["doctor", *flags])
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, captured.out


def parts(capsys):
    """The JSON, with the parts of each group by name."""
    code, out = run(capsys, "--json")
    said = json.loads(out)
    assert (code == 0) == said["ready"] == (said["reason"] == "")
    return said, {title: {part["name"]: part for part in group} for title, group in said["groups"].items()}


def test_where_the_search_can_run_the_exit_code_is_0(machine, capsys):
    machine(process=None)
    code, out = run(capsys)
    assert code == 0
    assert out.splitlines()[-1] == "kernelopt search --suite kernelbench can run here"


def test_without_a_sandbox_it_is_1_and_the_reasons_are_told(machine, capsys):
    closed = machine(docker="no engine answers", process="needs Linux")
    code, out = run(capsys)
    assert code == 1
    assert "cannot run here: no sandbox works here; not docker: no engine answers" in out.splitlines()[-1]
    assert set(closed) == {"docker", "process"}  # none is left open


def test_one_sandbox_is_enough(machine, capsys):
    machine(docker="no engine answers", bwrap="run: apt-get install bubblewrap", process=None)
    said, found = parts(capsys)
    assert said["ready"]
    assert [(name, part["found"]) for name, part in found["sandboxes"].items()] == [
        ("docker", ""),
        ("bwrap", ""),
        ("process", "works"),
    ]
    assert found["sandboxes"]["bwrap"]["mend"] == "run: apt-get install bubblewrap"


def test_a_sandbox_of_another_package_is_listed_after_ours(machine, capsys):
    machine(process=None, vault="no key for it", bwrap=None)
    assert [*parts(capsys)[1]["sandboxes"]] == ["bwrap", "process", "vault"]


def test_without_a_compiler_the_command_that_installs_it_is_told(machine, capsys, monkeypatch):
    machine(process=None)
    monkeypatch.setattr(_gxx.shutil, "which", lambda *_, **__: None)
    code, out = run(capsys)
    assert code == 1
    assert "g++" in out.splitlines()[-1]
    assert "apt-get install g++" in next(line for line in out.splitlines() if line.startswith("  g++"))


def test_a_compiler_that_does_not_run_is_told(machine, capsys, monkeypatch, tmp_path):
    machine(process=None)
    broken = tmp_path / "g++"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert "does not run (exit code 3)" in parts(capsys)[1]["compilers for the CPU"]["g++"]["found"]


def test_tasks_that_cannot_be_used_are_a_reason(machine, capsys):
    def refuse(*_, **__):
        raise ConfigError("kernelbench: no task can run here: too little memory")

    machine(refuse, process=None)
    code, out = run(capsys)
    assert code == 1
    assert out.rstrip().endswith("too little memory")


def test_without_torch_nothing_else_is_tried(machine, capsys, monkeypatch):
    machine(process=None)
    find = doctor.importlib.util.find_spec
    monkeypatch.setattr(
        doctor.importlib.util, "find_spec", lambda name, *a: None if name == "torch" else find(name, *a)
    )
    code, out = run(capsys)
    assert code == 1
    assert "torch is not installed; run: pip install torch" in out


def test_keys_are_named_and_never_shown(machine, capsys, monkeypatch):
    machine(process=None)
    for name in [name for name in doctor.os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    assert parts(capsys)[1]["keys of language models"]["set"]["found"] == ""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-openai")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret-of-anthropic")
    monkeypatch.setenv("EMPTY_API_KEY", "")
    for flags in [(), ("--json",)]:
        _, out = run(capsys, *flags)
        assert "ANTHROPIC_API_KEY OPENAI_API_KEY" in out
        assert "secret-of" not in out and "EMPTY_API_KEY" not in out


def test_tools_of_cuda_are_told_with_version_place_and_origin(machine, capsys, monkeypatch):
    machine(process=None)
    monkeypatch.setattr(toolkit, "find", lambda: kit(nvcc="13.0.88"))
    tools = parts(capsys)[1]["CUDA toolchain"]
    assert tools["nvcc"] == {"name": "nvcc", "found": "13.0.88  /opt/nvcc (CUDA_HOME)", "mend": ""}
    assert tools["cupy"] == {"name": "cupy", "found": "", "mend": f"run: {pip_install('cuda')}"}


def test_every_tool_of_the_toolkit_is_told_once(machine, capsys):
    machine(process=None)
    found = parts(capsys)[1]
    told = [*found["CUDA toolchain"], *found["GPU"]]
    assert sorted(told) == sorted([*(tool.name for tool in kit().tools()), "GPU"])


def test_each_gpu_is_told_with_its_architecture(machine, capsys, monkeypatch):
    machine(process=None)
    gpus = [Gpu("NVIDIA H200", "9.0", 141 << 30, "580.1"), Gpu("NVIDIA A10", "8.6", 24 << 30, "580.1")]
    monkeypatch.setattr(toolkit, "find", lambda: kit(gpus, driver="13.0"))
    found = parts(capsys)[1]["GPU"]
    assert found["driver"]["found"].startswith("13.0 ")
    assert found["GPU 0"]["found"] == "NVIDIA H200, 141 GiB, sm_90"
    assert found["GPU 1"]["found"] == "NVIDIA A10, 24 GiB, sm_86"
    assert "GPU" not in found


def test_a_gpu_is_not_needed(machine, capsys):
    machine(process=None)
    said, found = parts(capsys)
    assert said["ready"]
    assert found["GPU"]["driver"]["mend"] and found["GPU"]["GPU"]["mend"]


def test_every_part_was_found_or_says_what_to_do(machine, capsys):
    machine(docker="no engine answers", process=None)
    for title, group in parts(capsys)[1].items():
        for part in group.values():
            assert part["found"] or part["mend"], (title, part)


def test_for_a_person_every_part_has_its_line(machine, capsys):
    machine(process=None)
    said = parts(capsys)[0]["groups"]
    lines = run(capsys)[1].splitlines()
    for title, group in said.items():
        assert title in lines
        for part in group:
            assert any(line.startswith(f"  {part['name']} ") for line in lines)


def guide_commands():
    """Command lines of ours in docs/cuda.md, in blocks and in the text."""
    fence = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    lines = "".join(fence.findall(GUIDE)).splitlines()
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", fence.sub("", GUIDE))]
    return sorted({line for line in [*lines, *spans] if line.startswith("kernelopt ")})


@pytest.mark.parametrize("line", guide_commands())
def test_the_guide_names_only_commands_and_flags_that_exist(line):
    _, name, *words = re.sub(r"[\[\]]", " ", line).split()
    command = cli.get_command(click.Context(cli), name)
    assert command, f"docs/cuda.md speaks of kernelopt {name}"
    assert {word for word in words if word.startswith("--")} <= {f for o in command.params for f in o.opts}


def test_the_guide_has_the_command_that_adds_nvcc():
    assert toolkit.PIP_NVCC in GUIDE
