"""The builtin writer on the NPU: what it is taught decides what it writes."""

import pytest

from kernelopt.lms import Prompt
from kernelopt.lms._builtin.aie_ops import OPS
from kernelopt.lms._builtin.aie_skills import AIE_SKILLS
from kernelopt.lms._builtin.aie_write import UnknownKernel, write_kernel
from kernelopt.lms._builtin.skills import asked_for, taught
from kernelopt.lms.builtin import Builtin
from kernelopt.npu.look import inspect_text
from kernelopt.prompting.components import GENERATE, seed_candidate
from kernelopt.prompting.extract import extract_cpp, extract_text
from kernelopt.prompting.render import Brief, generate_prompt, refine_prompt, reflect_prompt
from kernelopt.suites.npueval import NpuEval

TASKS = {task.id: task.source for task in NpuEval().tasks()}
BY_TEXT = (
    "argmax_int32",
    "conv1d_bias_relu_bfloat16",
    "conv2d_int32",
    "avgpool1d_bfloat16",
    "maxpool2d_relu_int8",
    "softmax_bfloat16",
    "silu_bfloat16",
)
"""One of each family that is known by its description."""
ALL = frozenset(skill.name for skill in AIE_SKILLS)


def written(guidance="", name="relu_int8", feedback=None, kernel=""):
    candidate = {**seed_candidate("aie"), GENERATE: guidance}
    brief = Brief(TASKS[name], "", "", language="cpp")
    prompt = (
        refine_prompt(candidate, brief, kernel, feedback) if feedback else generate_prompt(candidate, brief)
    )
    return extract_cpp(Builtin().complete(prompt).text, name).source


@pytest.mark.parametrize("name", [*sorted(OPS), *BY_TEXT])
def test_what_it_writes_is_never_suspect(name):
    for skills in (frozenset(), ALL):
        text = write_kernel(TASKS[name], skills)
        assert inspect_text(text) == []
        assert ("aie::load_v" in text) == bool(skills)


def test_untaught_it_writes_scalar_loops_and_taught_it_writes_vectors():
    assert "aie::load_v" not in written("Write a kernel.")
    lines = "\n".join(skill.line for skill in AIE_SKILLS)
    text = written(lines)
    assert "aie::load_v<64>" in text and "__restrict" in text and "AIE_PREPARE_FOR_PIPELINING" in text


@pytest.mark.parametrize("skill", AIE_SKILLS, ids=lambda skill: skill.name)
def test_each_line_of_guidance_teaches_its_own_skill_and_each_complaint_asks_for_it(skill):
    assert skill.name in taught(skill.line, AIE_SKILLS)
    assert all(skill.name in asked_for(fragment, AIE_SKILLS) for fragment in skill.answers)


def test_a_refinement_mends_one_complaint_and_keeps_what_it_knew():
    first = written("Write a kernel.")
    second = written("Write.", feedback="(vector score 0.0 %); not pipelined; say __restrict", kernel=first)
    assert "aie::load_v" in second and "__restrict" not in second
    third = written("Write.", feedback="say __restrict", kernel=second)
    assert "aie::load_v" in third and "__restrict" in third


def test_a_reflection_on_slow_kernels_adds_guidance_for_the_npu():
    record = "Task:\n#include <aie_api/aie.hpp>\n(vector score 0.0 %)\nsay __restrict"
    reply = Builtin().complete(reflect_prompt(GENERATE, "Write a kernel.", [record]))
    text = extract_text(reply.text)
    assert {"vectors", "restrict"} <= taught(text, AIE_SKILLS)


@pytest.mark.parametrize("name", BY_TEXT)
def test_a_family_is_known_by_its_description_whatever_the_kernel_is_called(name):
    renamed = TASKS[name].replace(name, "another")
    assert write_kernel(renamed, ALL) == write_kernel(TASKS[name], ALL).replace(name, "another")


def test_a_store_outside_of_the_buffer_is_mended_before_what_is_slow():
    name = "conv1d_k2_s1_bias_relu_bfloat16"
    kernel = "```cpp\n// skills: vectors\n```"
    text = written("Write.", name, "load_v of 32 bytes leaves the buffer x; say __restrict", kernel)
    assert "aie::store_unaligned_v" in text and "__restrict" not in text


def test_a_task_that_it_does_not_know_gets_an_honest_answer():
    with pytest.raises(UnknownKernel):
        write_kernel(TASKS["shuffle_int32"], ALL)
    prompt = Prompt("", f"# Task\n\n```cpp\n{TASKS['shuffle_int32']}```\n")
    assert "I do not know" in Builtin().complete(prompt).text
