"""A block of intermediate code, once or unrolled → `Graph` of instructions with what orders them."""

from __future__ import annotations

import re

from kernelopt.npu.cycles.calls import Calls
from kernelopt.npu.cycles.costs import Call, Cost, plain_cost, scalar_cost
from kernelopt.npu.cycles.facts import FREE_OPS, LOADS, Facts
from kernelopt.npu.cycles.gimple import Block, Statement
from kernelopt.npu.cycles.nodes import Lowered
from kernelopt.npu.cycles.values import NAMES, bits_of, is_name, number

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


class Lowering(Facts):
    """Turns blocks of one function into graphs."""

    def lower(self, block: Block, copies: int = 1, loop: bool = False) -> Lowered:
        """`copies` iterations of a block in a row; `loop`: they repeat, so distances of 1 are added."""
        return _Piece(self, block, copies, loop).run()


class _Piece(Calls):
    """The work of one `Lowering.lower`."""

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
            operands and self.parent.is_memory(operands[0]) and statement.op not in FREE_OPS
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
