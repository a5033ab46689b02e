"""`kernelopt doctor`: what is installed here, what is missing, and the command that adds it.

It looks and changes no setting, of a GPU or of anything else, and fetches nothing. A container engine that
answers is given the near-empty image (12 KB) that every search there needs.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import click

from kernelopt import registry
from kernelopt.cli import _console
from kernelopt.devices._cpuinfo import size_text
from kernelopt.languages._require import SUITES, require_language
from kernelopt.sandboxes._choose import LADDER, choose_sandbox

if TYPE_CHECKING:
    from kernelopt.gpu.toolkit import Tool

SEARCH = "kernelopt search --suite"
TOOL_TIMEOUT_S = 10.0
"""A compiler tells its version in milliseconds; one on a network drive that hangs is not waited for."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that was looked for."""

    name: str
    found: str
    """What was found, in words; empty where there is nothing."""
    mend: str = ""
    """Where there is nothing: why, and the command that adds it."""


Groups = dict[str, list[Part]]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON (see docs/cuda.md).")
@click.option("--target", type=click.Choice(["npu"]), help="Only what concerns AMD's NPUs, real or modelled.")
@click.pass_context
def command(ctx: click.Context, as_json: bool, target: str | None) -> None:
    """Tell what is installed, what is missing and how to mend it. Changes no setting.

    Exit code 0 if `kernelopt search --suite kernelbench` (npueval with --target npu) can run here, else 1,
    with the reason.
    """
    suite = "npueval" if target else "kernelbench"
    groups = {"NPU": list(_npu())} if target else look()
    obstacle = _obstacle(suite)
    if as_json:
        _console.print_json({"ready": obstacle is None, "reason": obstacle or "", "groups": _plain(groups)})
    else:
        _console.print_page([*_lines(groups), _verdict(obstacle, suite)])
    ctx.exit(0 if obstacle is None else 1)


def look() -> Groups:
    """Everything that is looked for, by group."""
    return {
        "this machine": list(_machine()),
        "compilers for the CPU": [_compiler()],
        "sandboxes": [_sandbox(name) for name in _sandboxes()],
        **_cuda(),
        "NPU": list(_npu()),
        "keys of language models": [_keys(os.environ)],
    }


def _obstacle(suite: str = "kernelbench") -> str | None:
    """Why the search would be refused, by the very checks that it begins with; None if it can run."""
    from kernelopt.errors import UsageError
    from kernelopt.suites import SuiteOptions
    from kernelopt.suites._fit import select

    if importlib.util.find_spec("torch") is None:
        return f"torch is not installed; {_TORCH}"
    try:
        require_language(SUITES.get(suite, "cpp"))
        select(suite, SuiteOptions(), narrow=True)
        choose_sandbox("auto")
    except UsageError as error:
        return str(error)
    return None


def _plain(groups: Groups) -> dict[str, list[dict[str, str]]]:
    """For JSON. What was found needs no mending."""
    return {
        title: [{**asdict(part), "mend": "" if part.found else part.mend} for part in parts]
        for title, parts in groups.items()
    }


def _lines(groups: Groups) -> Iterator[str]:
    """A block a group, names in one column."""
    width = max(len(part.name) for parts in groups.values() for part in parts)
    for title, parts in groups.items():
        yield title
        yield from (f"  {part.name:<{width}}  {_said(part)}" for part in parts)
        yield ""


def _said(part: Part) -> str:
    return part.found or f"missing: {part.mend}"


def _verdict(obstacle: str | None, suite: str = "kernelbench") -> str:
    search = f"{SEARCH} {suite}"
    return f"{search} cannot run here: {obstacle}" if obstacle else f"{search} can run here"


_TORCH = "run: pip install torch"


def _machine() -> Iterator[Part]:
    from kernelopt.devices import _cpuinfo

    cpu = _cpuinfo.read()
    yield Part("processor", f"{cpu.model}, {cpu.cores} cores for this process")
    yield Part("memory", size_text(cpu.memory_bytes) if cpu.memory_bytes else "unknown")
    yield Part("Python", platform.python_version())
    yield Part("torch", _release("torch"), _TORCH)


def _release(package: str) -> str:
    """Version of an installed package, which is not imported for it; empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _compiler() -> Part:
    from kernelopt.languages import _gxx

    path = _gxx.find()
    return Part("g++", f"{_printed([path, '-dumpfullversion'])}  {path}" if path else "", _gxx.MISSING)


def _printed(command: list[str]) -> str:
    """What a tool prints, on one line; why it does not run, if so."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=TOOL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run ({type(error).__name__})"
    return " ".join(done.stdout.split()) or f"does not run (exit code {done.returncode})"


def _sandboxes() -> list[str]:
    """The ladder, then those of other packages."""
    there = registry.names("sandboxes")
    return [*(name for name in LADDER if name in there), *(name for name in there if name not in LADDER)]


def _sandbox(name: str) -> Part:
    made = registry.get("sandboxes", name)()
    try:
        problem: str | None = made.missing()
    finally:
        made.close()
    return Part(name, "" if problem else "works", problem or "")


def _cuda() -> Groups:
    """The tools that compile and look, then what running takes."""
    from kernelopt.gpu import toolkit

    here = toolkit.find()
    running = (here.driver, here.container_runtime)
    cards = [
        Part(
            f"GPU {number}",
            f"{gpu.name}, {size_text(gpu.memory_bytes)}, sm_{gpu.capability.replace('.', '')}",
        )
        for number, gpu in enumerate(here.gpus)
    ]
    none = Part("GPU", "", "none that nvidia-smi or NVML shows; kernelopt build FILE needs none")
    return {
        "CUDA toolchain": [_tool(tool) for tool in here.tools() if tool not in running],
        "GPU": [*map(_tool, running), *(cards or [none])],
    }


def _tool(tool: Tool) -> Part:
    where = f"{tool.path} ({tool.origin})"
    return Part(tool.name, f"{tool.version}  {where}".strip() if tool else "", f"run: {tool.add}")


def _npu() -> Iterator[Part]:
    """What a run on AMD's NPU takes, part by part; and the model of it, which takes a compiler only."""
    from kernelopt.languages import _gxx
    from kernelopt.npu import LABEL
    from kernelopt.npu.hardware import toolchain

    yield Part("host model", f"kernels are run here, cycles {LABEL}" if _gxx.find() else "", _gxx.MISSING)
    for part in toolchain.find().parts():
        yield Part(part.name, f"{part.version}  {part.path}".strip() if part else "", part.mend)


def _keys(variables: Mapping[str, str]) -> Part:
    """Names only: of a value no more is asked than whether there is one."""
    names = sorted(name for name, value in variables.items() if name.endswith("_API_KEY") and value)
    mend = "none is set (NAME_API_KEY); --lm builtin and --lm files:DIR need none"
    return Part("set", " ".join(names), mend)
