"""The student: decides, from the prompt alone, what it knows, and writes a kernel accordingly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from kernelopt.lms._builtin.aie_skills import AIE_SKILLS
from kernelopt.lms._builtin.aie_write import UnknownKernel, write_kernel
from kernelopt.lms._builtin.skills import SKILLS, Skill, asked_for, taught
from kernelopt.lms._builtin.write import UnknownOperator, write_module
from kernelopt.lms._builtin.write_gpu import write_cuda, write_triton
from kernelopt.prompting.extract import fences
from kernelopt.prompting.render import EXCERPTS, GUIDANCE, KERNEL, OUTCOME, REFINEMENT, TASK

NOTE = "builtin writer: rule-based, for demonstration and tests"
_OWN = re.compile(r"^(?:#|//) skills:(.*)$", re.MULTILINE)
_EVERYTHING = re.compile(r"\b(every|all)\b.{0,40}\b(remed|complaint|report|feedback|finding)", re.IGNORECASE)


WRITERS: dict[str, Callable[[str, frozenset[str]], str]] = {
    "CUDA C++ on the GPU": write_cuda,
    "CuPy on the GPU": partial(write_cuda, cupy=True),
    "Triton": write_triton,
}
"""By the heading of the language's guide in the prompt; C++ for any other."""
_GUIDE = re.compile(r"^## (.+)$", re.MULTILINE)


def answer(sections: Mapping[str, str], system: str = "") -> str:
    """A reply to a generate or refine prompt, given its sections and the guide before them."""
    blocks = fences(sections.get(TASK, ""))
    if not blocks:
        return f"({NOTE}) The prompt holds no task module.\n"
    if blocks[0][0] == "cpp":
        return _answer_aie(blocks[0][1], _skills(sections, AIE_SKILLS))
    skills = _skills(sections, SKILLS)
    try:
        module = _writer(system)(blocks[0][1], skills)
    except UnknownOperator as unknown:
        return f"({NOTE}) I do not know how to write a kernel for this task: {unknown}.\n"
    # A note to itself: on a refinement it finds here what it knew when it wrote the kernel.
    signed = f"# {NOTE}\n# skills: {' '.join(sorted(skills))}\n{module}"
    words = ", ".join(sorted(skills)) or "none"
    return f"({NOTE}) A kernel with these skills: {words}.\n\n```python\n{signed}```\n"


def _writer(system: str) -> Callable[[str, frozenset[str]], str]:
    heading = _GUIDE.search(system)
    return WRITERS.get(heading[1].strip(), write_module) if heading else write_module


def _answer_aie(task: str, skills: frozenset[str]) -> str:
    """A kernel for the NPU."""
    try:
        text = write_kernel(task, skills)
    except UnknownKernel as unknown:
        return f"({NOTE}) I do not know how to write a kernel for this task: {unknown}.\n"
    signed = f"// {NOTE}\n// skills: {' '.join(sorted(skills))}\n{text}"
    words = ", ".join(sorted(skills)) or "none"
    return f"({NOTE}) A kernel with these skills: {words}.\n\n```cpp\n{signed}```\n"


def _skills(sections: Mapping[str, str], skills: Sequence[Skill]) -> frozenset[str]:
    """What the guidance teaches, what the last kernel knew, and what its feedback asks for."""
    by_name = {skill.name: skill for skill in skills}
    known = taught(sections.get(GUIDANCE, "") + "\n" + sections.get(REFINEMENT, ""), skills)
    if KERNEL not in sections:
        return known
    known |= _before(sections[KERNEL]) & frozenset(by_name)
    missing = [name for name in asked_for(sections.get(OUTCOME, ""), skills) if name not in known]
    # One remedy at a time, like a beginner, unless told to work through the whole list.
    thorough = bool(_EVERYTHING.search(sections.get(REFINEMENT, "")))
    advice = taught(sections.get(EXCERPTS, ""), skills) & set(missing)
    missing.sort(key=lambda name: (not by_name[name].mistake, name not in advice))
    return known | frozenset(missing if thorough else missing[:1])


def _before(kernel: str) -> frozenset[str]:
    found = _OWN.search(kernel)
    return frozenset(found[1].split()) if found else frozenset()
