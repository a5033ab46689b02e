"""The reflector: reads what went wrong in the records, and adds, sharpens or drops guidance lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from kernelopt.lms._builtin.aie_skills import AIE_SKILLS
from kernelopt.lms._builtin.skills import SKILLS, Skill, asked_for, taught
from kernelopt.prompting.components import GENERATE, REFINE, RETRIEVAL_QUERY
from kernelopt.prompting.extract import fences
from kernelopt.prompting.render import COMPONENT, CURRENT, RECORDS, fenced

MOST_LINES = 2
"""Lines added at a time: a search must be able to tell what helped."""
THOROUGH = "Apply every remedy that the feedback names, not only the first."
_RECORD = re.compile(r"^## Record \d+$", re.MULTILINE)
_SHARPER = " This matters: kernels that ignored it failed or were slow."


def answer(sections: Mapping[str, str]) -> str:
    """A reply to a reflection prompt: the whole new text of the component in a fence."""
    current = _current(sections.get(CURRENT, ""))
    records = [part for part in _RECORD.split(sections.get(RECORDS, "")) if part.strip()]
    component = sections.get(COMPONENT, "").partition(":")[0].strip().strip("`")
    rewrite = {GENERATE: _generate, REFINE: _refine, RETRIEVAL_QUERY: _query}.get(component, _unchanged)
    text = rewrite(current, records)
    return f"(builtin writer: rule-based, for demonstration and tests)\n\n{fenced(text)}\n"


def complaints(records: list[str]) -> list[Skill]:
    """Skills that records ask for, in how many records first, mistakes before slowness."""
    skills = _about(records)
    counts = Counter(name for record in records for name in set(asked_for(record, skills)))
    asked = [skill for skill in skills if skill.name in counts]
    return sorted(asked, key=lambda skill: (not skill.mistake, -counts[skill.name]))


def _about(records: list[str]) -> tuple[Skill, ...]:
    """The skills that records can be about: of kernels for the NPU, or of modules."""
    return AIE_SKILLS if any("#include <aie_api/" in record for record in records) else SKILLS


def _generate(current: str, records: list[str]) -> str:
    known = taught(current, _about(records))
    asked = complaints(records)
    missing = [skill for skill in asked if skill.name not in known]
    if missing:
        return _with_lines(current, [skill.line for skill in missing[:MOST_LINES]])
    persisting = [skill.line for skill in asked if skill.line in current]
    return _sharpened(current, persisting)


def _refine(current: str, records: list[str]) -> str:
    """Refinement works when several complaints are mended in one go."""
    if complaints(records) and THOROUGH not in current:
        return _with_lines(current, [THOROUGH])
    return current


def _query(current: str, records: list[str]) -> str:
    missing = [f"{{{name}}}" for name in ("error", "bottleneck", "language") if f"{{{name}}}" not in current]
    return f"{current} {missing[0]}" if missing else current


def _unchanged(current: str, records: list[str]) -> str:
    return current


def _with_lines(current: str, lines: list[str]) -> str:
    return current.rstrip() + "\n" + "\n".join(f"- {line}" for line in lines)


def _sharpened(current: str, lines: list[str]) -> str:
    """Underline the first line that is there and yet is complained about."""
    for line in lines:
        if line + _SHARPER not in current:
            return current.replace(line, line + _SHARPER, 1)
    return current


def _current(section: str) -> str:
    blocks = fences(section)
    return blocks[0][1].rstrip("\n") if blocks else ""
