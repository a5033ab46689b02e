"""Loads and stores: what they touch, how wide they are, and which have to stay in order."""

from __future__ import annotations

import re

from kernelopt.npu.cycles.costs import call
from kernelopt.npu.cycles.gimple import Statement
from kernelopt.npu.cycles.nodes import Access, Nodes
from kernelopt.npu.cycles.values import NAMES, Address, bits_of, is_name, may_alias

FUSED_STORES = {"to_vector", "pack"}
FUSED_LOADS = {"from_vector", "unpack"}
ORDERED = 256
"""Accesses that follow one and may have to wait for it; in longer code those further on come later anyway."""


class Memory(Nodes):
    """The accesses of a piece of code."""

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
