"""g++'s optimised intermediate code, read from ``-fdump-tree-optimized-raw-blocks-details-lineno-asmname``.

The dump is a listing of functions, blocks and statements with a regular grammar:

    void f (int8_t * restrict in, int n)
    {
      signed char _3;
    ;;   basic block 3, loop depth 1, count 256 (precise)
    ;;    pred:       3 [...] ...
      # gimple_phi <i_19, [k.cc:13:45] i_16(3), 0(2)>
      [k.cc:13:79] gimple_assign <mem_ref, _3, [k.cc:13:79] *_2, NULL, NULL>
      [k.cc:13:58] gimple_cond <ne_expr, ivtmp_23, 0, NULL, NULL>
    ;;    succ:       3 [...] ...

Block counts are exact where the unit was built with the profile of a run (``precise``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LARGEST = 8 << 20
"""Most bytes of a dump that are read; a kernel's is a hundredth of that."""


@dataclass(slots=True)
class Statement:
    """One statement. `code` is ``assign``, ``call``, ``cond``, ``switch``, ``return`` or ``other``."""

    code: str
    op: str
    """``plus_expr``, ``mem_ref`` ... for assignments and conditions, the function's name for calls."""
    target: str = ""
    """What is written: an SSA name, a memory reference, or nothing."""
    operands: tuple[str, ...] = ()
    line: int = 0


@dataclass(slots=True)
class Phi:
    """One value that depends on where control came from."""

    target: str
    sources: dict[int, str]
    """Number of the predecessor to the value."""


@dataclass(slots=True)
class Block:
    """One basic block."""

    number: int
    depth: int
    count: float
    precise: bool
    phis: list[Phi] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    successors: list[int] = field(default_factory=list)
    edge_counts: dict[int, float] = field(default_factory=dict)
    """Successor to how often control went there."""


@dataclass(slots=True)
class Function:
    """One function: blocks by number, and what its names are declared as."""

    name: str
    """As a person writes it: ``aieop::add<short int, 32>``, ``abs_int8``."""
    symbol: str
    """As the linker knows it."""
    parameters: dict[str, str]
    """Name to type, in order; ``restrict`` is part of the type."""
    types: dict[str, str] = field(default_factory=dict)
    """Local variables, temporaries and parameters: name to type."""
    blocks: dict[int, Block] = field(default_factory=dict)

    def type_of(self, name: str) -> str:
        """The declared type of a variable or of an SSA name of it; empty where it is not declared."""
        name = _MADE.sub("", name)
        if name in self.types:
            return self.types[name]
        return self.types.get(base_name(name), "")


_FUNCTION = re.compile(r"^;; Function (.+?) \((\S+?), funcdef_no", re.MULTILINE)
_BLOCK = re.compile(r";;   basic block (\d+), loop depth (\d+)(?:, count (\d+) \(([^)]*)\))?")
_EDGE = re.compile(r";;\s+(?:succ:)?\s+(\d+|EXIT) \[[^\]]*\](?:\s+count:(\d+))?")
_PLACE = re.compile(r"\[([^\[\]\s:]+):(\d+):(\d+)(?: discrim \d+)?\] ")
_DECLARATION = re.compile(r"\s+([\w ,:<>*&()$.]+?[\s*&])([\w.$]+)(\[[\d\[\]]+\])?(?: = .*)?;$")
_MADE = re.compile(r"(?<=\d)(?:x\d+)+$")
_SSA = re.compile(r"(.*)_(\d+)(\(D\))?$")


def base_name(ssa: str) -> str:
    """``p`` for ``p_12`` and ``in_3(D)``, nothing for ``_7``; other text as it is."""
    found = _SSA.match(ssa)
    return found[1] if found else ssa


def is_ssa(text: str) -> bool:
    """Whether an operand is an SSA name."""
    return bool(re.fullmatch(r"[\w.$]*_\d+(\(D\))?", text))


def arguments(text: str) -> list[str]:
    """Split at commas outside of every bracket. ``a < b`` holds no bracket, ``MEM <T>`` does."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text):
        operator = text[i + 1 : i + 2] in (" ", "<", "=") or text[i - 1 : i] in (" ", "-", "<")
        if char in "([{" or (char == "<" and not operator) or (char == "<" and text[i - 4 : i] == "MEM "):
            depth += 1
        elif char in ")]}" or (char == ">" and not operator):
            depth -= 1
        elif char == "," and depth <= 0:
            parts.append(text[start:i].strip())
            start, depth = i + 1, 0
    return [*parts, text[start:].strip()]


def parse(dump: str, file: str) -> list[Function]:
    """Every function of a dump. What has no place in the grammar is left out.

    `file`: the source whose line numbers are kept.
    """
    names = {found[2]: found[1] for found in _FUNCTION.finditer(dump)}
    found: list[Function] = []
    block: Block | None = None
    successors = False
    for line in dump.splitlines():
        if header := _FUNCTION.match(line):
            found.append(Function(header[1], header[2], {}))
            block = None
        elif not found:
            continue
        elif opened := _BLOCK.match(line):
            block = Block(int(opened[1]), int(opened[2]), float(opened[3] or 0), opened[4] == "precise")
            found[-1].blocks[block.number] = block
            successors = False
        elif line.startswith(";;"):
            successors = line.startswith(";;    succ:") or (successors and line.startswith(";;      "))
            if block is not None and successors and (edge := _EDGE.match(line)) and edge[1] != "EXIT":
                block.successors.append(int(edge[1]))
                block.edge_counts[int(edge[1])] = float(edge[2] or 0)
        elif block is None:
            _declaration(found[-1], line)
        else:
            _statement(block, line, file, names)
    return [function for function in found if function.blocks]


def _declaration(function: Function, line: str) -> None:
    """A signature, or one declared name."""
    if found := _DECLARATION.match(line):
        function.types[found[2]] = found[1].strip() + (found[3] or "")
    elif (
        not line.startswith((" ", "{", "}", "Removing", "fix_", "Scope"))
        and line.endswith(")")
        and "(" in line
    ):
        inner = line[line.index("(") + 1 : -1]
        for parameter in arguments(inner):
            if named := re.fullmatch(r"(.*[\s*&])([\w.$]+)", parameter):
                function.parameters[named[2]] = named[1].strip()
                function.types[named[2]] = named[1].strip()


def _statement(block: Block, line: str, file: str, names: Mapping[str, str]) -> None:
    text = line.strip()
    place = _PLACE.match(text)
    number = int(place[2]) if place and place[1] == file else 0
    text = _PLACE.sub("", text)
    if text.startswith("# gimple_phi <"):
        target, *sources = arguments(text[14:-1])
        if not target.startswith(".MEM"):
            pairs = (re.fullmatch(r"(.*)\((\d+)\)", source, re.DOTALL) for source in sources)
            block.phis.append(Phi(target, {int(pair[2]): pair[1].strip() for pair in pairs if pair}))
        return
    found = re.match(r"gimple_(\w+) <(.*)>", text, re.DOTALL)
    if not found:
        return
    operands = arguments(found[2])
    if found[1] == "call":
        operands[0] = names.get(operands[0], operands[0])
    block.statements.extend(_made(found[1], operands, number))


def _made(code: str, operands: list[str], line: int) -> Iterator[Statement]:
    if code in ("predict", "nop", "label", "debug") or not operands:
        return
    if code == "call":
        result = operands[1] if len(operands) > 1 and operands[1] != "NULL" else ""
        yield Statement("call", operands[0], result, tuple(operands[2:]), line)
        return
    operands = [part for part in operands if part != "NULL"]
    if code == "assign" and len(operands) > 1:
        yield Statement("assign", operands[0], operands[1], tuple(operands[2:]), line)
    elif code in ("cond", "switch", "return"):
        yield Statement(code, operands[0] if operands else "", "", tuple(operands[1:]), line)
    else:
        yield Statement("other", code, "", tuple(operands), line)
