"""A static look at an answer: is its work done by a kernel of its own, in the open, and by nothing else?

Each rule has a short name, and each message says what was seen and what to do instead
(`_inspect_report`). What is looked for, and where:

- whether a kernel does the work: `_inspect_work`, `_inspect_called` (no-kernel, never-called, fallback,
  catching, randomness)
- names that no kernel needs: `_inspect_uses` (frames, patching, process, files, reference, hidden, library)
- things changed that are not the answer's own: `_inspect_patching` (patching, process, constants)
- results that outlive a call: `_inspect_memory` (memory)
- work on a GPU that nobody waits for: `_inspect_streams` (streams)
- C++ text inside strings: `_inspect_cpp`
- what Triton compiles, run as Python: `_inspect_jit` (fallback)
- parameters that nothing reads: `_inspect_weights` (weights)
- words for whoever reads the answer: `_inspect_words` (address)

A look at text can be fooled. It is the first line only: `_artifact` looks at what was built, and the judge
compares outputs and times. So where text alone cannot tell an honest kernel from a trick, it passes.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from kernelopt._syntax import parse
from kernelopt.kernel import Kernel
from kernelopt.languages import Finding
from kernelopt.languages._inspect_cpp import inspect_cpp, inspect_text
from kernelopt.languages._inspect_handles import inspect_handles
from kernelopt.languages._inspect_jit import inspect_jit
from kernelopt.languages._inspect_live import live_nodes
from kernelopt.languages._inspect_memory import Memory
from kernelopt.languages._inspect_own import OwnFunctions
from kernelopt.languages._inspect_patching import Patching
from kernelopt.languages._inspect_reach import Reach
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._inspect_streams import Streams
from kernelopt.languages._inspect_uses import Uses
from kernelopt.languages._inspect_weights import inspect_weights
from kernelopt.languages._inspect_words import inspect_words
from kernelopt.languages._inspect_work import Work
from kernelopt.languages._names import Names

_CPP_FILES = (".cpp", ".cc", ".cxx", ".h", ".hpp", ".cu", ".cuh")
_WHOLE = ("no-kernel", "never-called")
"""Rules about the answer as a whole, which one file beside the entry cannot break."""
MOST_CHARACTERS = 200_000
MOST_ASSIGNMENTS = 2000
MOST_CLASSES = 100
"""In one file. Reading more could take minutes."""


def inspect(source: str, *, allow_libraries: bool = False) -> list[Finding]:
    """Findings about the Python text of an answer, in line order. Never raises.

    Text that does not parse has no findings: loading it tells more. With `allow_libraries`, the operators
    that are one call of a vendor's library (matrix products, convolutions, Fourier transforms; see
    `LIBRARY_OPERATORS`) may be called from Python and C++, and libraries may be loaded; a kernel of its own
    has to be there all the same, and element-wise work and reductions have to be done in it.
    """
    try:
        tree = parse(source)
    except SyntaxError:
        return []
    try:
        names = Names(tree)
        if _is_too_long(source, names):
            return [Finding("fallback", "the answer is too long to be read", 1)]
        return _look(source, tree, names, allow_libraries).findings()
    except RecursionError:
        return [Finding("fallback", "the code is nested too deeply to be read", 1)]


def inspect_kernel(kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
    """Findings about all files of an answer, those about the entry first. Never raises."""
    found = inspect(kernel.files.get(kernel.entry, ""), allow_libraries=allow_libraries)
    for name, text in kernel.files.items():
        if name == kernel.entry:
            continue
        others = inspect(text, allow_libraries=allow_libraries) if name.endswith(".py") else []
        if name.endswith(_CPP_FILES):
            report = Report()
            inspect_text(text[:MOST_CHARACTERS], 1, report, allow_libraries=allow_libraries)
            others = report.findings()
        others = [each for each in others if each.rule not in _WHOLE]
        found += [replace(each, message=f"{name}: {each.message}") for each in others]
    return found


def _is_too_long(source: str, names: Names) -> bool:
    sizes = (
        (len(source), MOST_CHARACTERS),
        (len(names.assignments), MOST_ASSIGNMENTS),
        (len(names.classes), MOST_CLASSES),
    )
    return any(size > most for size, most in sizes)


def _look(source: str, tree: ast.Module, names: Names, allow_libraries: bool) -> Report:
    report, reach = Report(), Reach(names)
    live = live_nodes(tree, names)
    own = OwnFunctions(names, live)
    work = Work(names, reach, report, own, allow_libraries=allow_libraries)
    work.look(live)
    Uses(names, live, report, work.kernels, own, allow_libraries=allow_libraries).look()
    Patching(names, live, reach, report).look()
    Memory(names, reach, report).look()
    Streams(names, live, reach, report).look()
    inspect_jit(names, live, report)
    if not allow_libraries:
        inspect_handles(names, live, report)
    inspect_cpp(names, live, report, allow_libraries=allow_libraries)
    inspect_weights(tree, report)
    inspect_words(source, report)
    return report
