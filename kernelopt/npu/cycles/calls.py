"""Calls: operations of the AIE API, scalar helpers of the header, library routines, other functions."""

from __future__ import annotations

import re

from kernelopt.npu.cycles.costs import Call, Cost, call, scalar_cost, vector_cost
from kernelopt.npu.cycles.facts import LOADS
from kernelopt.npu.cycles.gimple import Statement
from kernelopt.npu.cycles.memory import FUSED_LOADS, FUSED_STORES, Memory
from kernelopt.npu.cycles.values import is_name, number

FREE_CALLS = re.compile(
    r"__builtin_(unreachable|assume_aligned|expect|prefetch|object_size)|aieev::|.*set_rounding.*|.*set_saturation.*|\.ASSUME"
)
BUILTINS = ("ctz", "clz", "popcount", "ffs", "parity", "fabs", "copysign", "isnan", "signbit")
"""Functions that come with suffixes for their types: ``ctzl``, ``fabsf``."""


class Calls(Memory):
    """The calls of a piece of code."""

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
