"""What nvcc, NVRTC, ptxas and Triton printed, as data: errors first, each once, with the lines at fault."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from kernelopt.gpu import Diagnostic
from kernelopt.gpu import _diagnostics_triton as triton
from kernelopt.gpu._diagnostics_lines import Raw, scan
from kernelopt.gpu._diagnostics_places import NOWHERE, Place, Sources, base, named_function

MOST: Final = 20
"""Most diagnostics of one log."""
MOST_ALIKE: Final = 5
"""Most of them with the same message at different lines."""
MOST_NOTES: Final = 2
"""Most notes behind one error or warning."""
MESSAGE_CHARACTERS: Final = 600

_LOG_CHARACTERS = 1 << 20
_LINE_CHARACTERS = 2000
_FOLDERS = re.compile(r"(?<![\w.>/])/(?:[\w.+-]{1,200}/)+(?=[\w.+-])")
"""Of an absolute path: machine paths are of no use to an author."""
_ORDER = ("error", "warning", "note")


def parse(tool: str, log: str, sources: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Every message of a log that helps to mend a kernel. Never raises, whatever the text.

    Args:
        tool: who printed it: ``nvcc``, ``nvrtc``, ``ptxas`` or ``triton``, a version may follow. What ptxas
            says through one of the others is marked as ptxas's.
        log: all that was printed; of more than a million characters the last million.
        sources: file name to text; folders do not count.

    Errors come first, then warnings, each with at most `MOST_NOTES` notes behind it; `MOST` in all. ptxas and
    linkers name a function at most: their place is the line that declares it. Lines of a PTX file that is
    not among `sources` mean nothing to its author: what ptxas says of inline PTX is placed where the word
    that it quotes stands in a string of the sources, if it stands in one only. Triton counts lines from the
    head of the function; here they count from the head of the file.
    """
    name = (tool.split() or [""])[0].lower()
    lines = [line[:_LINE_CHARACTERS] for line in log[-_LOG_CHARACTERS:].splitlines()]
    texts = Sources.of(sources)
    found = scan(lines)
    if name == "triton":
        explained = any(raw.severity == "error" for raw in found)
        found = triton.scan(lines, texts, explained) + found
    groups = [_diagnostics(name, raw, texts) for raw in _chosen(found)]
    once: dict[tuple[str, str, str, int], Diagnostic] = {}
    for each in (diagnostic for group in groups for diagnostic in group):
        # What ptxas says of several copies of a function has one place in the sources.
        once.setdefault((each.severity, each.message, each.file, each.line), each)
    return tuple(once.values())[:MOST]


def _chosen(found: Sequence[Raw]) -> list[Raw]:
    """Errors first, repetitions folded; few enough to look up the place of each."""
    once: dict[tuple[str, str, str, int], Raw] = {}
    for raw in found:
        once.setdefault((raw.severity, raw.message, raw.file, raw.line), raw)
    alike: Counter[tuple[str, str]] = Counter()
    kept: list[Raw] = []
    for raw in sorted(once.values(), key=lambda raw: _ORDER.index(raw.severity)):
        alike[raw.severity, raw.message] += 1
        if alike[raw.severity, raw.message] <= MOST_ALIKE:
            kept.append(raw)
    return kept[:MOST]


def _diagnostics(tool: str, raw: Raw, sources: Sources) -> list[Diagnostic]:
    notes = {(note.message, note.file, note.line): note for note in raw.notes}
    return [_diagnostic(tool, part, sources) for part in (raw, *list(notes.values())[:MOST_NOTES])]


def _diagnostic(tool: str, raw: Raw, sources: Sources) -> Diagnostic:
    place, column = _place(raw, sources), raw.column
    excerpt = "\n".join(raw.excerpt)
    if raw.excerpt and not _as_written(raw, sources.text(place)):
        # The front end prints what the preprocessor left; its caret does not fit the text of the author.
        excerpt, column = "", 0
    return Diagnostic(
        tool="ptxas" if raw.program == "ptxas" else tool,
        severity=raw.severity,
        message=_FOLDERS.sub("", raw.message)[:MESSAGE_CHARACTERS],
        file=place[0],
        line=place[1],
        column=column if place[1] else 0,
        code=raw.code,
        kernel=raw.kernel or (named_function(raw.message) if "ntry function" in raw.message else ""),
        excerpt=excerpt or sources.around(place),
    )


def _place(raw: Raw, sources: Sources) -> Place:
    place = (base(raw.file), raw.line)
    if raw.program == "ptxas" and place[0] not in sources.files:
        place = sources.inline_ptx(raw.message)
    if place == NOWHERE:
        place = sources.function(named_function(raw.message))
    return place


def _as_written(raw: Raw, text: str | None) -> bool:
    """An excerpt shows the line of the source, or the source is not known."""
    return text is None or any(text.strip() in line for line in raw.excerpt)
