"""What names stand for: where each is defined, addresses as linear forms, and which accesses may overlap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kernelopt.npu.cycles.gimple import Block, Function, Phi, Statement, base_name

DEEPEST = 40
NAMES = re.compile(r"(?<![\w.$])[\w.$]*_\d+(?:x\d+)*(?:\(D\))?(?![\w$])")
"""Every SSA name in a text."""
_NAME = re.compile(r"[\w.$]*_\d+(?:x\d+)*(\(D\))?")
COPIES = ("nop_expr", "convert_expr", "ssa_name", "view_convert_expr", "integer_cst")
ONLY_FIELDS = ("bits", "data")
"""Fields that are all of their class: of bfloat16, of vectors and accumulators."""
POINTER_OPS = ("pointer_plus_expr", "ssa_name", "nop_expr", "convert_expr", "addr_expr", "plus_expr")
_PLACES = re.compile(r"\[[^\[\]\s]+:\d+:\d+(?: discrim \d+)?\] ")
_MEM = re.compile(
    r"MEM(?: <(?P<type>.*?)>)? ?\[\((?P<cast>[^()]*(?:\([^()]*\)[^()]*)*)\)(?P<rest>.*)\]$", re.DOTALL
)
_BITS = (
    (re.compile(r"\b(signed char|unsigned char|char|u?int8_t|_Bool|bool|char8_t)\b"), 8),
    (re.compile(r"\b(short|u?int16_t|bfloat16|__bf16|_Float16|char16_t)\b"), 16),
    (re.compile(r"\b(long long|u?int64_t|double)\b"), 64),
)


@dataclass(frozen=True, slots=True)
class Address:
    """A memory access: what it is based on, and which bytes of that."""

    root: str
    """A variable, parameter, or ``?name`` for a pointer of unknown origin."""
    restrict: bool
    local: bool
    """The root is a variable of this unit and no pointer that somebody passed."""
    terms: tuple[tuple[str, int], ...]
    """Linear form in SSA names, constants left out."""
    offset: int
    bits: int
    exact: bool = True
    """False where the form does not say all."""


def number(text: str) -> int | None:
    """An integer constant of a dump, as signed as addresses need it."""
    found = re.fullmatch(r"(-?\d+)[uUlL]*", text)
    if not found:
        return None
    value = int(found[1])
    if value >= 1 << 63:
        return value - (1 << 64)
    return value - (1 << 32) if 1 << 31 <= value < 1 << 32 else value


def bits_of(declared: str) -> int:
    """Bits of a scalar or GNU vector type; ``long`` and pointers have a word on the chip."""
    if found := re.search(r"vector\((\d+)\) ([\w ]+)", declared):
        lane = 64 if re.search(r"\blong\b", found[2]) else bits_of(found[2])
        return int(found[1]) * lane
    if "*" in declared or "&" in declared:
        return 32
    return next((bits for pattern, bits in _BITS if pattern.search(declared)), 32)


class Values:
    """The definitions of a function."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.defined: dict[str, Statement] = {}
        self.phis: dict[str, Phi] = {}
        self.home: dict[str, int] = {}
        for block in function.blocks.values():
            self._learn(block)

    def _learn(self, block: Block) -> None:
        for phi in block.phis:
            self.phis[phi.target] = phi
            self.home[phi.target] = block.number
        for statement in block.statements:
            if statement.target and is_name(statement.target):
                self.defined[statement.target] = statement
                self.home[statement.target] = block.number

    def linear(self, name: str, depth: int = 0) -> tuple[dict[str, int], int]:
        """A value as a sum of SSA names with factors, and a constant."""
        constant = number(name)
        if constant is not None:
            return {}, constant
        statement = self.defined.get(name)
        if statement is None or depth > DEEPEST or statement.code != "assign":
            return {name: 1}, 0
        operands = statement.operands
        first = operands[0] if operands else ""
        if statement.op in COPIES and (is_name(first) or number(first) is not None):
            return self.linear(first, depth + 1)
        if statement.op in ("plus_expr", "pointer_plus_expr", "minus_expr"):
            sign = -1 if statement.op == "minus_expr" else 1
            return _sum(self.linear(operands[0], depth + 1), self.linear(operands[1], depth + 1), sign)
        if statement.op in ("mult_expr", "lshift_expr"):
            factor = number(operands[1])
            if factor is not None:
                factor = 1 << factor if statement.op == "lshift_expr" and 0 <= factor < 32 else factor
                form, offset = self.linear(operands[0], depth + 1)
                return {key: value * factor for key, value in form.items()}, offset * factor
        return {name: 1}, 0

    def step(self, phi: Phi, latch: int) -> int | None:
        """What a phi grows by from one iteration to the next, where that is constant."""
        source = phi.sources.get(latch)
        if source is None:
            return None
        form, offset = self.linear(source)
        return offset if form == {phi.target: 1} else None

    def root(self, name: str, seen: frozenset[str] = frozenset()) -> tuple[str, bool, bool]:
        """What a pointer is based on: (name, restrict, local)."""
        base = base_name(name)
        if base and "restrict" in self.function.types.get(base, ""):
            return base, True, False
        if name.endswith("(D)") or (base in self.function.parameters and name not in self.defined):
            return base, False, False
        if name in seen:
            return "", False, False
        seen |= {name}
        unknown = (f"?{name}", False, False)
        if name in self.phis:
            sources = (s for s in self.phis[name].sources.values() if is_name(s) or s.startswith("&"))
            roots = {root for root in (self.root(source, seen) for source in sources) if root[0]}
            return roots.pop() if len(roots) == 1 else unknown
        if name.startswith("&") or not is_name(name):
            return re.split(r"[\[.>-]", name.removeprefix("&"))[0], False, True
        made = self.defined.get(name)
        moved = made is not None and made.code == "assign" and made.op in POINTER_OPS and made.operands
        return self.root(_PLACES.sub("", made.operands[0]), seen) if made and moved else unknown

    def address(self, reference: str, bits: int) -> Address:
        """Read a memory reference: ``*p_1``, ``MEM[(T *)p_1 + 3B].x``, ``table[_2]``, ``s_1(D)->a[_7]``."""
        text = _PLACES.sub("", reference).strip()
        if starred := re.match(r"\(?\*([\w.$]+(?:\(D\))?)\)?(.*)$", text):
            return self._within(self._based(starred[1], {}, 0, bits), starred[2])
        if text.startswith("MEM"):
            head, rest = _closed(text)
            if found := _MEM.match(head):
                return self._within(self._memory(found["rest"], bits), rest)
        pointed = re.match(r"([\w.$]+(?:\(D\))?)->(.*)$", text)
        if pointed:
            return self._within(self._based(pointed[1], {}, 0, bits), "." + pointed[2])
        base = re.split(r"\.(?=[A-Za-z_])|\[", text, maxsplit=1)[0]
        return self._within(Address(base, False, True, (), 0, bits), text[len(base) :])

    def _memory(self, inside: str, bits: int) -> Address:
        """What stands in ``MEM[(T *)...]`` behind the cast: pointer, bytes, scaled names."""
        base, *more = [part.strip() for part in inside.split(" + ")]
        offset = sum(int(part[:-1]) for part in more if re.fullmatch(r"-?\d+B", part))
        scaled = [part.split(" * ") for part in more if not re.fullmatch(r"-?\d+B", part)]
        terms = {name: int(number(factor[0]) or 1) if factor else 1 for name, *factor in scaled}
        return self._based(base, terms, offset, bits)

    def _within(self, whole: Address, rest: str) -> Address:
        """A part of what an address names: fields and indices. One index is exact, fields are not."""
        size = whole.bits // 8 or 1
        names, constants = NAMES.findall(rest), re.findall(r"\[(\d+)\]", rest)
        form = (dict(whole.terms), whole.offset + size * sum(int(c) for c in constants))
        for name in names:
            form = _sum(form, _scaled(self.linear(name), size), 1)
        fields = set(re.findall(r"\.([A-Za-z_]\w*)", rest)) - set(ONLY_FIELDS)
        exact = whole.exact and len(names) + len(constants) <= 1 and not fields
        terms = tuple(sorted(form[0].items()))
        return Address(whole.root, whole.restrict, whole.local, terms, form[1], whole.bits, exact)

    def _based(self, base: str, extra: Mapping[str, int], offset: int, bits: int) -> Address:
        root, restrict, local = self.root(base)
        form, constant = self.linear(base) if is_name(base) else ({base: 1}, 0)
        for name, factor in extra.items():
            form, constant = _sum((form, constant), _scaled(self.linear(name), factor), 1)
        return Address(root, restrict, local, tuple(sorted(form.items())), constant + offset, bits)


def is_name(text: str) -> bool:
    """An SSA name, those that merging and unrolling made among them."""
    return bool(_NAME.fullmatch(text))


def _closed(text: str) -> tuple[str, str]:
    """Up to the bracket that closes the first square one, and what is behind it."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "]" and not depth:
            return text[: place + 1], text[place + 1 :]
    return text, ""


def _scaled(form: tuple[dict[str, int], int], factor: int) -> tuple[dict[str, int], int]:
    return {name: value * factor for name, value in form[0].items()}, form[1] * factor


def _sum(
    left: tuple[dict[str, int], int], right: tuple[dict[str, int], int], sign: int
) -> tuple[dict[str, int], int]:
    form = dict(left[0])
    for name, value in right[0].items():
        form[name] = form.get(name, 0) + sign * value
    return {name: value for name, value in form.items() if value}, left[1] + sign * right[1]


def may_alias(one: Address, other: Address, shift: int | None = 0) -> bool:
    """Whether two accesses may touch the same bytes; `other` lies `shift` bytes further than its form says.

    `shift` None: by an unknown distance.
    """
    if one.root != other.root or not one.root:
        if one.restrict or other.restrict:
            return False
        return not (one.local or other.local)
    if shift is None or not (one.exact and other.exact) or one.terms != other.terms:
        return True
    distance = other.offset + shift - one.offset
    return -other.bits // 8 < distance < one.bits // 8
