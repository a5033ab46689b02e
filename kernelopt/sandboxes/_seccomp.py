"""Profiles of system calls, compiled for the kernel.

A profile is JSON as Docker and OCI runtimes take it (the fields ``defaultAction``, ``defaultErrnoRet`` and
``syscalls`` with ``names``, ``action``, ``errnoRet`` and ``args``). A rule applies when all of its `args` do;
the first rule that applies decides.
"""

from __future__ import annotations

import errno
import json
import platform
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kernelopt.resources import folder as data_folder
from kernelopt.sandboxes._syscalls import NUMBERS

_Instruction = tuple[int, int, int, int]
"""``struct sock_filter`` of <linux/filter.h>: code, jump if true, jump if false, operand."""

_LOAD, _EQUAL, _GREATER_EQUAL, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NR, _ARCHITECTURE, _ARGS = 0, 4, 16
"""Offsets in ``struct seccomp_data`` of <linux/seccomp.h>."""
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
"""System calls of the x32 ABI begin here; they would pass under the numbers of other calls."""
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_WORD = 0xFFFFFFFF


def compiled(name: str, machine: str | None = None, also: Iterable[str] = ()) -> bytes:
    """The profile ``sandbox/<name>.json`` for this machine, with the calls `also` allowed.

    Empty where the machine is of an architecture that we have no numbers for.
    """
    profile = json.loads((data_folder("sandbox") / f"{name}.json").read_text(encoding="utf-8"))
    machine = machine or platform.machine()
    if machine not in NUMBERS:
        return b""
    profile["syscalls"].insert(0, {"names": list(also), "action": "SCMP_ACT_ALLOW"})
    return compile_profile(profile, machine)


def compile_profile(profile: Mapping[str, Any], machine: str) -> bytes:
    """An array of ``struct sock_filter``.

    Raises:
        ValueError: the profile names a system call, an action or a comparison that we do not know.
    """
    program: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
    ]
    if machine == "x86_64":
        program += [(_GREATER_EQUAL, 0, 1, _X32), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    for rule in profile["syscalls"]:
        verdict = _action(rule["action"], rule.get("errnoRet", errno.EPERM))
        for number in _numbers(rule["names"], machine):
            program += _rule(number, rule.get("args") or [], verdict)
    default = _action(profile["defaultAction"], profile.get("defaultErrnoRet", errno.EPERM))
    program.append((_RETURN, 0, 0, default))
    return b"".join(struct.pack("=HBBI", *each) for each in program)


def _numbers(names: Sequence[str], machine: str) -> list[int]:
    """Numbers of those calls that the machine has; some are only of one architecture."""
    unknown = [name for name in names if not any(name in table for table in NUMBERS.values())]
    if unknown:
        raise ValueError(f"unknown system calls: {', '.join(unknown)}")
    return [NUMBERS[machine][name] for name in names if name in NUMBERS[machine]]


def _action(name: str, code: int) -> int:
    known = {"SCMP_ACT_ALLOW": _ALLOW, "SCMP_ACT_ERRNO": _ERRNO | code, "SCMP_ACT_KILL_PROCESS": _KILL}
    if name not in known:
        raise ValueError(f"unknown action {name!r}")
    return known[name]


def _rule(number: int, args: Sequence[Mapping[str, Any]], verdict: int) -> list[_Instruction]:
    """With the call's number loaded: return the verdict if all of `args` fit, else go on, number loaded."""
    body = [step for arg in args for step in _comparison(arg)]
    end = len(body) + 1
    body = [
        (code, yes, end - index - 1 if no == _OUT else no, operand)
        for index, (code, yes, no, operand) in enumerate(body)
    ]
    again = [(_LOAD, 0, 0, _NR)] if args else []
    return [(_EQUAL, 0, end + len(again), number), *body, (_RETURN, 0, 0, verdict), *again]


_OUT = 255
"""In place of a jump: to where the rule does not apply."""


def _comparison(arg: Mapping[str, Any]) -> list[_Instruction]:
    """Compare one 64-bit argument, half by half (little-endian)."""
    value, mask = int(arg["value"]), 0xFFFFFFFF_FFFFFFFF
    if arg["op"] == "SCMP_CMP_MASKED_EQ":
        value, mask = int(arg.get("valueTwo", 0)), value
    elif arg["op"] != "SCMP_CMP_EQ":
        raise ValueError(f"unknown comparison {arg['op']!r}")
    steps: list[_Instruction] = []
    for half in (0, 1):
        part, wanted = mask >> 32 * half & _WORD, value >> 32 * half & _WORD
        steps.append((_LOAD, 0, 0, _ARGS + 8 * int(arg["index"]) + 4 * half))
        steps += [(_AND, 0, 0, part)] if part != _WORD else []
        steps.append((_EQUAL, 0, _OUT, wanted))
    return steps
