"""What is known of a function before any of its blocks is lowered: uses, addresses, bits of values."""

from __future__ import annotations

from collections import Counter

from kernelopt.npu.cycles.costs import LANE_BITS, call
from kernelopt.npu.cycles.gimple import Function, Statement
from kernelopt.npu.cycles.machine import Machine
from kernelopt.npu.cycles.values import NAMES, Values, bits_of, is_name

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
LINEAR = ("plus_expr", "minus_expr", "pointer_plus_expr", "mult_expr", "lshift_expr")


class Facts:
    """Of one function."""

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
        memory = self.is_memory(statement.operands[0] if statement.operands else "")
        return memory or (linear and statement.target in good)

    def is_memory(self, text: str) -> bool:
        """Whether an operand reads or writes memory."""
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
