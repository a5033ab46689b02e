"""A block of intermediate code, once or unrolled → `Graph` of instructions with what orders them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from kernelopt.npu.cycles.costs import LANE_BITS, Call, Cost, call, plain_cost, scalar_cost, vector_cost
from kernelopt.npu.cycles.gimple import Block, Function, Statement
from kernelopt.npu.cycles.machine import Machine, Unit
from kernelopt.npu.cycles.schedule import Graph
from kernelopt.npu.cycles.values import NAMES, Address, Values, bits_of, is_name, may_alias, number

LOADS = ("mem_ref", "array_ref", "component_ref", "target_mem_ref", "indirect_ref", "var_decl", "parm_decl")
FREE_OPS = (
    "ssa_name",
    "nop_expr",
    "convert_expr",
    "view_convert_expr",
    "addr_expr",
    "paren_expr",
    "obj_type_ref",
)
ORDERED = 256
"""Accesses that follow one and may have to wait for it; in longer code those further on come later anyway."""
BUILTINS = ("ctz", "clz", "popcount", "ffs", "parity", "fabs", "copysign", "isnan", "signbit")
"""Functions that come with suffixes for their types: ``ctzl``, ``fabsf``."""
LINEAR = ("plus_expr", "minus_expr", "pointer_plus_expr", "mult_expr", "lshift_expr")
FREE_CALLS = re.compile(
    r"__builtin_(unreachable|assume_aligned|expect|prefetch|object_size)|aieev::|.*set_rounding.*|.*set_saturation.*|\.ASSUME"
)
FUSED_STORES = {"to_vector", "pack"}
FUSED_LOADS = {"from_vector", "unpack"}
_COMPARISONS = (
    "eq_expr",
    "ne_expr",
    "lt_expr",
    "le_expr",
    "gt_expr",
    "ge_expr",
    "unlt_expr",
    "unle_expr",
    "ungt_expr",
    "unge_expr",
)


@dataclass(slots=True)
class Access:
    """One access to memory in a graph."""

    node: int
    unit: Unit
    address: Address
    copy: int


@dataclass(slots=True)
class Lowered:
    """A straight piece of code; `calls` are cycles of routines that run within it."""

    graph: Graph = field(default_factory=Graph)
    calls: float = 0.0
    called: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ordered: bool = False
    """Some store keeps a later load of the next iteration waiting."""
    branch: int = -1
    """Node of the branch that ends it, -1 for none."""
    accesses: list[Access] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)


class Lowering:
    """Turns blocks of one function into graphs."""

    def __init__(self, machine: Machine, function: Function, routines: set[str]) -> None:
        self.machine, self.function = machine, function
        self.values = Values(function)
        self.routines = routines
        """Functions whose own blocks are counted: a call of one costs the call alone."""
        self.uses: Counter[str] = Counter()
        self.users: dict[str, list[Statement]] = {}
        self._count_uses()
        self.addressing = self._only_for_addresses()
        self.vector_bits = self._tagged_bits()

    # --- What is known before ---------------------------------------------------------------------

    def _count_uses(self) -> None:
        for block in self.function.blocks.values():
            for phi in block.phis:
                self.uses.update(name for name in phi.sources.values() if is_name(name))
            for statement in block.statements:
                for name in set(self._read(statement)):
                    self.uses[name] += 1
                    self.users.setdefault(name, []).append(statement)

    def _read(self, statement: Statement) -> list[str]:
        text = [*statement.operands]
        if statement.target and not is_name(statement.target):
            text.append(statement.target)
        return [name for part in text for name in NAMES.findall(part)]

    def _only_for_addresses(self) -> set[str]:
        """Names that serve addresses and loop conditions alone: pointers and counters, at no extra cost."""
        good = set(self.values.defined) | set(self.values.phis)
        changed = True
        while changed:
            changed = False
            for block in self.function.blocks.values():
                for statement in block.statements:
                    for name in self._spoiled(statement, good):
                        good.discard(name)
                        changed = True
                for phi in block.phis:
                    if phi.target not in good:
                        for name in phi.sources.values():
                            if name in good:
                                good.discard(name)
                                changed = True
        return good

    def _spoiled(self, statement: Statement, good: set[str]) -> list[str]:
        """Names that this statement needs as data."""
        names = [name for part in statement.operands for name in NAMES.findall(part) if name in good]
        if not names:
            return []
        if statement.code == "cond" or self._serves_an_address(statement, good):
            return []
        if statement.code == "call" and call(statement.op).name.startswith("at_"):
            return [name for name in NAMES.findall(statement.operands[0]) if name in good]
        return names

    def _serves_an_address(self, statement: Statement, good: set[str]) -> bool:
        """A load, or arithmetic of addresses whose result serves one."""
        if statement.code != "assign":
            return False
        if statement.op in LOADS or not is_name(statement.target):
            return statement.op in LOADS
        linear = statement.op in LINEAR or statement.op in FREE_OPS
        memory = self._is_memory(statement.operands[0] if statement.operands else "")
        return memory or (linear and statement.target in good)

    def _is_memory(self, text: str) -> bool:
        return (
            text.startswith(("*", "MEM")) or "->" in text or "[" in text or "." in text.strip("._0123456789")
        )

    def _tagged_bits(self) -> dict[str, int]:
        """Bits of vector values that a load or store tag names."""
        found = {}
        for block in self.function.blocks.values():
            for statement in block.statements:
                if statement.code == "call" and "at_" in statement.op:
                    parts = call(statement.op)
                    if parts.name.startswith("at_") and parts.types and parts.sizes:
                        bits = LANE_BITS.get(parts.types[0], 32) * parts.sizes[0]
                        for name in statement.operands[:2]:
                            found[name] = bits
        return found

    def bits(self, name: str, default: str = "") -> int:
        """Bits of a value."""
        if name in self.vector_bits:
            return self.vector_bits[name]
        declared = self.function.type_of(name) or default
        if "native" in declared or "vector" in declared:
            found = bits_of(declared)
            return found if found > 32 else 512
        return bits_of(declared)

    # --- One piece of code ------------------------------------------------------------------------

    def lower(self, block: Block, copies: int = 1, loop: bool = False) -> Lowered:
        """`copies` iterations of a block in a row; `loop`: they repeat, so distances of 1 are added."""
        return _Piece(self, block, copies, loop).run()


class _Piece:
    """The work of one `Lowering.lower`."""

    def __init__(self, parent: Lowering, block: Block, copies: int, loop: bool) -> None:
        self.parent, self.block, self.copies, self.loop = parent, block, copies, loop
        self.machine = parent.machine
        self.out = Lowered()
        self.made: dict[str, list[int]] = {}
        """Name to the nodes that its value waits for."""
        self.late_uses: list[tuple[int, str, bool]] = []
        """(Node, phi, accumulates): uses of values of the iteration before the first copy."""
        self.alias: dict[str, str] = {}
        """Copies of phis: name to phi."""
        self.phis = {phi.target: phi for phi in block.phis}
        self.steps = {phi.target: parent.values.step(phi, block.number) for phi in block.phis}

    def run(self) -> Lowered:
        for copy in range(self.copies):
            if copy:
                self._hand_over()
            for statement in self.block.statements:
                self._statement(statement, copy, last=copy == self.copies - 1)
        if self.loop:
            self._carry()
        self._order_memory()
        return self.out

    def _hand_over(self) -> None:
        """The phis of the next copy are what this one computed."""
        after = {}
        for name, phi in self.phis.items():
            source = phi.sources.get(self.block.number, "")
            after[name] = self.made.get(source, [])
        kept = {
            name: nodes
            for name, nodes in self.made.items()
            if self.parent.values.home.get(name) != self.block.number
        }
        self.made = {**kept, **after}

    def _carry(self) -> None:
        for node, name, accumulates in self.late_uses:
            source = self.phis[name].sources.get(self.block.number, "")
            for producer in self.made.get(source, []):
                self.out.graph.edge(producer, node, self._latency(producer, node, accumulates), 1)

    # --- Statements -------------------------------------------------------------------------------

    def _statement(self, statement: Statement, copy: int, last: bool) -> None:
        if statement.line:
            self.out.lines.add(statement.line)
        if statement.code == "assign":
            self._assign(statement, copy)
        elif statement.code == "call":
            self._call(statement, copy)
        elif statement.code in ("cond", "switch") and last:
            self._branch(statement)
        elif statement.code == "other" and statement.op == "asm":
            self.out.notes.append("inline assembly is counted as one instruction")
            self._emit(Cost([("alu", 1)]), (), "")

    def _assign(self, statement: Statement, copy: int) -> None:
        target, operands = statement.target, statement.operands
        if not is_name(target):
            self._store(statement, copy)
        elif statement.op in LOADS or (
            operands and self.parent._is_memory(operands[0]) and statement.op not in FREE_OPS
        ):
            self._load(statement, copy)
        elif target in self.parent.addressing:
            self._address_value(target, operands)
        elif statement.op in FREE_OPS or not operands:
            self._cast(statement)
        else:
            self._arithmetic(statement)

    def _address_value(self, target: str, operands: tuple[str, ...]) -> None:
        """Free, but what it is made of has to be there."""
        nodes = [
            node for part in operands for name in NAMES.findall(part) for node in self.made.get(name, [])
        ]
        self.made[target] = sorted(set(nodes))

    def _cast(self, statement: Statement) -> None:
        source = statement.operands[0] if statement.operands else ""
        target_type = self.parent.function.type_of(statement.target)
        source_type = self.parent.function.type_of(source)
        if (
            statement.op in ("nop_expr", "convert_expr")
            and is_name(source)
            and self._extends(source, source_type, target_type)
        ):
            self._emit(Cost([("alu", 1)]), (source,), statement.target)
        elif source not in self.made and self.alias.get(source, source) in self.phis:
            self.alias[statement.target] = self.alias.get(source, source)
        else:
            self.made[statement.target] = list(self._waits(source))

    def _extends(self, source: str, before: str, after: str) -> bool:
        """A narrow value that was computed has to be sign- or zero-extended; a load does that by itself."""
        if "*" in after or "*" in before or bits_of(after) <= bits_of(before) or bits_of(before) >= 32:
            return False
        if "_Bool" in before or "bool" in before:
            return False
        made = self.parent.values.defined.get(source)
        while made is not None and made.op in ("nop_expr", "ssa_name", "convert_expr") and made.operands:
            made = self.parent.values.defined.get(made.operands[0])
        return made is not None and made.op not in LOADS and made.code == "assign"

    def _arithmetic(self, statement: Statement) -> None:
        if statement.op == "cond_expr" and not is_name(statement.operands[0]):
            compare, *rest = statement.operands
            self._emit(Cost([("alu", 1)]), tuple(NAMES.findall(compare)), f"{statement.target}?")
            self._emit(Cost([("alu", 1)]), (f"{statement.target}?", *rest), statement.target)
            return
        kinds = [
            self.parent.function.type_of(name)
            for name in (statement.target, *statement.operands)
            if is_name(name)
        ]
        vector = next((kind for kind in kinds if "vector" in kind or "native" in kind), "")
        if vector:
            unit = (
                "vector_move"
                if statement.op in ("constructor", "vec_perm_expr", "bit_field_ref")
                else "vector_alu"
            )
            count = max(1, self.parent.bits(statement.target) // self.machine.data["vector_bits"])
            self._emit(Cost([(unit, count)]), statement.operands, statement.target)
            return
        operand_kinds = kinds[1:] or kinds
        if narrow := self._narrowed(statement):
            self._emit(
                scalar_cost(self.machine, Call("aiesc", narrow, (), ())), statement.operands, statement.target
            )
            return
        floating = any(re.search(r"\bfloat\b", kind) for kind in operand_kinds)
        double = any(re.search(r"\bdouble\b", kind) for kind in kinds)
        wide = any(re.search(r"\b(long long|u?int64_t)\b", kind) for kind in kinds)
        self._emit(plain_cost(statement.op, floating, double, wide), statement.operands, statement.target)

    def _narrowed(self, statement: Statement) -> str:
        """The bfloat16 operation that work on widened values becomes: LLVM's InstCombine narrows it."""
        if statement.op in _COMPARISONS and len(statement.operands) == 2:
            wide = [self._widened(name) for name in statement.operands]
            exact = [bool(re.fullmatch(r"-?[0-9.]+(e[+-]\d+)?", name)) for name in statement.operands]
            if any(wide) and all(w or e for w, e in zip(wide, exact, strict=True)):
                return "bf16_lt"
        if statement.op in ("plus_expr", "minus_expr") and all(
            self._widened(name) for name in statement.operands
        ):
            users = self.parent.users.get(statement.target, [])
            if users and all(user.code == "call" and "bf16_from_float" in user.op for user in users):
                return "bf16_add"
        return ""

    def _widened(self, name: str) -> bool:
        """A float that is a bfloat16 with 16 zeros behind it."""
        made = self.parent.values.defined.get(name)
        while made is not None and made.op in ("view_convert_expr", "ssa_name") and made.operands:
            inner = re.search(r"[\w.$]*_\d+(?:x\d+)*(?:\(D\))?", made.operands[0].split("(", 1)[-1])
            made = self.parent.values.defined.get(inner[0]) if inner else None
        return made is not None and made.op == "lshift_expr" and made.operands[1:] == ("16",)

    def _branch(self, statement: Statement) -> None:
        operands = tuple(name for name in statement.operands if is_name(name))
        counter = bool(operands) and all(
            name in self.parent.addressing or name not in self.made for name in operands
        )
        flags = [name for name in operands if "_Bool" in self.parent.function.type_of(name)]
        against_zero = any(number(part) == 0 for part in statement.operands) and statement.op in (
            "eq_expr",
            "ne_expr",
        )
        kinds = [self.parent.function.type_of(name) for name in operands]
        if narrow := self._narrowed(statement):
            self._emit(scalar_cost(self.machine, Call("aiesc", narrow, (), ())), operands, "?")
            operands = ("?",)
        elif any(re.search(r"\b(float|double)\b", kind) for kind in kinds):
            self._emit(
                Cost(
                    library="float_compare", note="float is computed in software: the core has no scalar FPU"
                ),
                operands,
                "?",
            )
            operands = ("?",)
        elif not (counter or flags or against_zero):
            self._emit(Cost([("alu", 1)]), operands, "?")
            operands = ("?",)
        self._emit(Cost([("branch", 1)]), () if counter else operands, "")
        self.out.branch = len(self.out.graph.units) - 1

    # --- Calls ------------------------------------------------------------------------------------

    def _call(self, statement: Statement, copy: int) -> None:
        target = statement.target
        operands = tuple(part for part in statement.operands if is_name(part))
        found = call(statement.op)
        if found.space.endswith("aieop"):
            self._vector(statement, found, operands, target)
        elif found.space.endswith(("aiesc", "aiemodel")) and not operands:
            self.made[target] = []  # of constants alone: the chip's compiler computes it
        elif found.name in ("bf16_bits", "bf16_from_float"):
            self._emit(scalar_cost(self.machine, Call("aiesc", "bf16_from_float", (), ())), operands, target)
        elif found.space.endswith("aiesc"):
            self._emit(scalar_cost(self.machine, found), operands, target)
        elif FREE_CALLS.match(statement.op):
            if target and operands:
                self.made[target] = list(self._waits(operands[0]))
        else:
            self._routine(statement, operands, target)

    def _vector(self, statement: Statement, found: Call, operands: tuple[str, ...], target: str) -> None:
        if found.name.startswith("at_") and (
            line := number(statement.operands[2] if len(statement.operands) > 2 else "")
        ):
            self.out.lines.add(line)
        if found.name in ("at_load", "at_store") or (
            found.name in FUSED_STORES and self._fused_store(target)
        ):
            self.made[target] = list(self._waits(operands[0])) if operands else []
            return
        if found.name in FUSED_LOADS and operands and self._fused_load(operands[0]):
            self.made[target] = list(self._waits(operands[0]))
            return
        cost = vector_cost(self.machine, found)
        if not cost.steps:
            self.made[target] = sorted({node for name in operands for node in self._waits(name)})
            return
        if found.name in ("at_load_unaligned", "at_store_unaligned"):
            operands = operands[:1]
        self._emit(cost, operands, target)

    def _fused_store(self, name: str) -> bool:
        """Its only reader is a store: conversion and store are one instruction."""
        users = self.parent.users.get(name, [])
        if len(users) != 1 or users[0] not in self.block.statements:
            return False
        user = users[0]
        if user.code == "call" and call(user.op).name == "at_store":
            return True
        return user.code == "assign" and not is_name(user.target)

    def _fused_load(self, name: str) -> bool:
        """It is loaded for this conversion alone."""
        made = self.parent.values.defined.get(name)
        if made is not None and made.code == "call" and call(made.op).name == "at_load" and made.operands:
            made = self.parent.values.defined.get(made.operands[0])
        loaded = made is not None and made.code == "assign" and made.op in LOADS
        return (
            loaded and self.parent.uses[name] == 1 and self.parent.values.home.get(name) == self.block.number
        )

    def _routine(self, statement: Statement, operands: tuple[str, ...], target: str) -> None:
        name = statement.op.split("(")[0].split("<")[0].split("::")[-1].strip()
        library = self.machine.data["library"]
        key = name.removeprefix("__builtin_").lstrip(".").lower()
        key = key if key in library else f"{key}f" if f"{key}f" in library else key
        builtin = self.machine.data["builtins"].get(key.rstrip("fl") if key.rstrip("fl") in BUILTINS else key)
        if builtin is not None:
            self._emit(Cost([(unit, int(count)) for unit, count in builtin["steps"]]), operands, target)
        elif name in self.parent.routines or statement.op in self.parent.routines:
            self.out.calls += self.machine.data["call"]["cycles"]
            self.out.called.append(name)
        elif key in ("memcpy", "memset", "memmove"):
            self._block_copy(statement, key)
        elif key in library:
            self._emit(Cost(library=key, note=f"{key} is a software routine"), operands, target)
        else:
            self.out.notes.append(f"{name} is not described: the cycles of a short routine are assumed")
            self._emit(Cost(library="unknown"), operands, target)

    def _block_copy(self, statement: Statement, key: str) -> None:
        size = number(statement.operands[-1]) if statement.operands else None
        words = -(-(size or 64) // 4)
        self.out.calls += words if (size or 64) <= 64 else self.machine.data["call"]["cycles"] + words * 2
        self.out.called.append(key)

    # --- Memory -----------------------------------------------------------------------------------

    def _load(self, statement: Statement, copy: int) -> None:
        bits = self.parent.bits(statement.target)
        reference = statement.operands[0] if statement.operands else ""
        address = self._address(reference, bits, copy)
        port = self.machine.data["port_bits"]
        fused = bits > 64 and self._loads_for_conversion(statement.target)
        unit = "load_scalar" if bits <= 64 else "load_convert" if fused else "load_vector"
        count = max(1, -(-bits // port)) if bits > 64 else max(1, bits // 32)
        self._access(unit, count, address, copy, statement.target)

    def _loads_for_conversion(self, name: str) -> bool:
        users = self.parent.users.get(name, [])
        if len(users) == 1 and users[0].code == "call" and call(users[0].op).name == "at_load":
            users = self.parent.users.get(users[0].target, [])
        return (
            len(users) == 1
            and users[0].code == "call"
            and call(users[0].op).name in FUSED_LOADS
            and users[0] in self.block.statements
        )

    def _store(self, statement: Statement, copy: int) -> None:
        value = statement.operands[0] if statement.operands else ""
        bits = self._stored_bits(statement, value)
        address = self._address(statement.target, bits, copy)
        made = self.parent.values.defined.get(value)
        if made is not None and made.code == "call" and call(made.op).name == "at_store" and made.operands:
            made = self.parent.values.defined.get(made.operands[0], made)
        converts = made is not None and made.code == "call" and call(made.op).name in FUSED_STORES
        if bits > 64:
            unit, count = (
                ("store_convert" if converts else "store_vector"),
                -(-bits // self.machine.data["port_bits"]),
            )
        else:
            unit, count = ("store_part" if bits < 32 else "store_word"), max(1, bits // 32)
        names = NAMES.findall(value)
        self._access(unit, count, address, copy, "", names)

    def _stored_bits(self, statement: Statement, value: str) -> int:
        if is_name(value):
            return self.parent.bits(value)
        if found := re.search(r"MEM <([^>]*)>|MEM\[\((?:const )?([\w ]+?) ?[*{]", statement.target):
            return self.parent.bits("", found[1] or found[2])
        if found := re.match(r"\*([\w.$]+(?:\(D\))?)", statement.target):
            return bits_of(self.parent.function.type_of(found[1]).replace("*", "", 1))
        kind = self.parent.function.type_of(re.split(r"[\[.>-]", statement.target)[0])
        return bits_of(re.sub(r"\[.*", "", kind)) if kind else 32

    def _address(self, reference: str, bits: int, copy: int) -> Address:
        """The address in copy number `copy`, its constant moved on by what the phis have grown by then."""
        plain = self.parent.values.address(reference, bits)
        offset, exact = plain.offset, plain.exact
        for name, factor in plain.terms:
            if name in self.phis:
                step = self.steps.get(name)
                if step is None:
                    exact = exact and not copy
                else:
                    offset += copy * factor * step
            elif self.parent.values.home.get(name) == self.block.number:
                exact = False
        return Address(plain.root, plain.restrict, plain.local, plain.terms, offset, bits, exact)

    def _access(
        self, unit: str, count: int, address: Address, copy: int, target: str, stored: list[str] | None = None
    ) -> None:
        waits = self._address_waits(address)
        nodes = []
        for _ in range(count):
            node = self.out.graph.add(self.machine.units[unit], self._registers(target, count))
            nodes.append(node)
            for producer in waits:
                self.out.graph.edge(producer, node, self.out.graph.units[producer].latency)
            for name in stored or []:
                self._use(name, node, False)
            self.out.accesses.append(Access(node, self.machine.units[unit], address, copy))
        if target:
            self.made[target] = nodes

    def _address_waits(self, address: Address) -> list[int]:
        """Nodes that an address needs; one that was computed from data takes a move into a pointer register.

        Counters and pointers that are moved on come with the access itself (post-increment).
        """
        names = [name for name, _ in address.terms if name not in self.phis or self._chased(name)]
        waits = sorted({node for name in names for node in self._waits(name)})
        if not waits:
            return []
        node = self.out.graph.add(self.machine.units["move"])
        for producer in waits:
            self.out.graph.edge(producer, node, self.out.graph.units[producer].latency)
        return [node]

    def _chased(self, phi: str) -> bool:
        """The next address is computed from data, and not by adding something that stays the same."""
        source = self.phis[phi].sources.get(self.block.number, "")
        form, _ = self.parent.values.linear(source)
        rest = [name for name in form if name != phi]
        return phi not in form or any(self.parent.values.home.get(n) == self.block.number for n in rest)

    # --- Nodes and edges --------------------------------------------------------------------------

    def _waits(self, name: str) -> list[int]:
        return self.made.get(name, [])

    def _emit(self, cost: Cost, operands: tuple[str, ...], target: str) -> None:
        if cost.note and cost.note not in self.out.notes:
            self.out.notes.append(cost.note)
        if cost.library:
            entry = self.machine.data["library"].get(cost.library) or self.machine.data["library"]["unknown"]
            self.out.calls += entry["cycles"]
            self.out.called.append(cost.library)
            cost = Cost([("alu", 1)])
        before: list[int] = []
        for place, (unit, count) in enumerate(cost.steps):
            words = self._registers(target, count) if place == len(cost.steps) - 1 else 2
            nodes = [self.out.graph.add(self.machine.units[unit], words) for _ in range(count)]
            for node in nodes:
                for producer in before:
                    self.out.graph.edge(producer, node, self._latency(producer, node, False))
                late = cost.accumulates and self.machine.units[unit].chain > 0
                for index, name in enumerate(operands):
                    if (place == 0 and not (cost.accumulates and index == 0)) or (late and index == 0):
                        self._use(name, node, late and index == 0)
            before = nodes
        if target:
            self.made[target] = (
                before if cost.steps else sorted({n for name in operands for n in self._waits(name)})
            )

    def _registers(self, target: str, count: int) -> int:
        """Registers of 256 bits that each of `count` nodes writes of a value."""
        if not target:
            return 0
        return max(1, self.parent.bits(target) // 256 // count)

    def _use(self, name: str, node: int, accumulates: bool) -> None:
        for producer in self._waits(name):
            self.out.graph.edge(producer, node, self._latency(producer, node, accumulates))
        phi = self.alias.get(name, name)
        if phi in self.phis and phi not in self.made and name not in self.made:
            self.late_uses.append((node, phi, accumulates))

    def _latency(self, producer: int, consumer: int, accumulates: bool) -> int:
        made, used = self.out.graph.units[producer], self.out.graph.units[consumer]
        latency = made.latency
        if made.chain and used.chain and (accumulates or used.reads_acc):
            latency = min(made.chain, used.chain) if made.name[-3:] == used.name[-3:] else made.latency - 2
        elif made.bypass and made.bypass in (used.bypass, used.reads_bypass):
            latency -= 1
        return latency - used.reads_late

    def _order_memory(self) -> None:
        accesses = self.out.accesses
        self.out.ordered = self.loop and len(accesses) > ORDERED  # too many to look at: as if they overlapped
        for i, one in enumerate(accesses):
            for other in accesses[i + 1 : i + 1 + ORDERED]:
                if "store" in (one.unit.memory, other.unit.memory):
                    self._order(one, other, 0)
            if self.loop and len(accesses) <= ORDERED:
                for other in accesses:
                    if "store" in (one.unit.memory, other.unit.memory) and one.node != other.node:
                        self._order(one, other, 1)

    def _order(self, one: Access, other: Access, distance: int) -> None:
        shift: int | None = 0
        if distance:
            shift = self._stride(one.address)
        if one.address is not other.address and may_alias(one.address, other.address, shift):
            apart = one.unit.stage - other.unit.stage
            latency = apart + 1 if one.unit.memory == "store" else max(0, 1 - other.unit.blocks)
            self.out.graph.edge(one.node, other.node, latency, distance)
            if distance and one.unit.memory == "store" and other.unit.memory == "load":
                self.out.ordered = True

    def _stride(self, address: Address) -> int | None:
        """How far an access moves from one round of all copies to the next."""
        total = 0
        for name, factor in address.terms:
            if name in self.phis:
                step = self.steps.get(name)
                if step is None:
                    return None
                total += factor * step * self.copies
        return total
