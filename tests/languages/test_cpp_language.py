"""The language cpp as a plugin: what it asks of the machine, what it tells a writer, what it builds."""

import re

import pytest
import torch

from kernelopt import inline, registry
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest, Language
from kernelopt.languages._cpp_guide import EXAMPLE
from kernelopt.languages._flags import refusal
from kernelopt.languages._tools import HostTools
from kernelopt.task import Task

TASK = Task(id="1/1", name="1_Anything", source="", suite="file")


@pytest.fixture
def language() -> Language:
    return registry.get("languages", "cpp")()


def test_it_is_found_by_name_and_runs_on_the_cpu(language):
    assert (language.name, language.device) == ("cpp", "cpu")
    assert "cpp" in registry.names("languages")


def test_a_missing_compiler_is_told_with_the_command_that_mends_it(language, monkeypatch, tmp_path):
    assert language.missing() is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert language.missing() == "g++ was not found; install it, for example: apt-get install g++"
    reply = language.build(BuildRequest("shared", "k", {"k.cpp": ""}), tmp_path, 1.0, HostTools())
    assert (reply.ok, reply.log) == (False, language.missing())


def test_the_guide_is_short_and_names_what_its_module_really_offers(language):
    guide = language.guide(TASK)
    assert len(guide.splitlines()) <= 60
    assert EXAMPLE in guide
    stated = re.search(r"compiles with `g\+\+ ([^`]*)`", guide)
    assert stated
    assert set(stated[1].split()) <= set(inline.BASE_FLAGS)
    assert all(refusal([flag], []) is None for flag in re.findall(r"`(-f[\w-]+)`", guide))


def test_the_worked_example_works(language, tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))
    assert language.inspect(Kernel.from_source(EXAMPLE, "cpp")) == []
    namespace: dict = {}
    exec(EXAMPLE, namespace)
    model = namespace["ModelNew"]()
    x = torch.randn(3, 5, 33)
    with torch.no_grad():
        model.gain.fill_(2.5)
        assert torch.allclose(model(x), 2.5 * (x.amax(-1) - x.amin(-1)))
        assert torch.allclose(model(x.transpose(1, 2)), 2.5 * (x.amax(1) - x.amin(1)))


def test_a_kernel_without_its_entry_file_is_no_error(language):
    assert all(f.rule == "no-kernel" for f in language.inspect(Kernel("cpp", {}, "gone.py")))


def test_other_kinds_of_build_are_refused(language, tmp_path):
    reply = language.build(BuildRequest("nvcc", "k", {"k.cu": ""}), tmp_path, 1.0, HostTools())
    assert (reply.ok, reply.log) == (False, "the language cpp has no builds of kind 'nvcc'")
