"""Machine code of NVIDIA GPUs (SASS) as counts: what kinds of instructions a kernel is made of.

The text is that of ``nvdisasm -c`` (or of ``cuobjdump -sass``, which calls it), made in a toolbox: a cubin
that a compiler made of a candidate's text may be anything. Opcodes are those of the instruction set tables
in NVIDIA's "CUDA Binary Utilities", from Volta (sm_70) to Blackwell (sm_121).
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator

from kernelopt.gpu import Mix
from kernelopt.inline import read_plain
from kernelopt.languages import Toolbox

MOST_BYTES = 64 << 20
"""Of disassembled text that is read: about 700000 instructions."""

_KINDS: dict[str, str] = {
    "fp32": "FFMA FADD FMUL FFMA2 FADD2 FMUL2 FFMA32I FADD32I FMUL32I",
    "fp64": "DFMA DADD DMUL",
    "fp16": "HFMA2 HADD2 HMUL2 HFMA2_32I HADD2_32I HMUL2_32I",
    "special": "MUFU",
    # Sums, products, logic, shifts, bytes, comparisons; with U before it, once for the whole warp.
    "integer": "IADD IADD3 IADD32I IADD64 IMAD IMAD32I IMUL IMUL32I ISCADD ISCADD32I LEA ISETP IMNMX IMNMX3 "
    "IABS IDP IDP4A SHF SHL SHR LOP LOP3 LOP32I BMSK BREV FLO POPC PRMT SGXT VIADD VIADD2 VIADDMNMX "
    "VIMNMX VIMNMX3 VABSDIFF VABSDIFF4 "
    "UIADD3 UIADD3.64 UIADD64 UIMAD UIMNMX UISETP ULEA ULOP ULOP3 UFLO UPOPC UPRMT USHF USHL USHR "
    "USGXT UBMSK UBREV UIABS UVIADD UVIMNMX",
    # LD and ST are for pointers of which the compiler does not know the memory; it is hardly ever another.
    "global_load": "LDG LD",
    "global_store": "STG ST",
    "shared_load": "LDS LDSM",
    "shared_store": "STS STSM",
    "local": "LDL STL",
    # Ampere: by thread. From Hopper on: whole tiles, by the copy engine.
    "async_copy": "LDGSTS UBLKCP UTMALDG UTMASTG UTMAREDG UBLKRED",
    "atomic": "ATOM ATOMG ATOMS RED REDG REDS REDAS",
    # Of blocks (BAR), of shared-memory barriers (SYNCS), of clusters. DEPBAR waits for the thread itself.
    "barrier": "BAR SYNCS UCGABAR_ARV UCGABAR_WAIT",
    "branch": "BRA BRX BRXU JMP JMX JMXU CALL RET",
}
_KIND = {opcode: kind for kind, opcodes in _KINDS.items() for opcode in opcodes.split()}
_TENSOR = re.compile(r"(?:UTC)?[A-Z]{1,4}MMA")
"""HMMA, IMMA, DMMA (mma, wmma), HGMMA, QGMMA (wgmma), UTCHMMA, UTCQMMA, UTCOMMA (tcgen05)."""

_SECTION = re.compile(r"\s*+\.section\s++\.text\.([^\s,]++),|\s*+Function : (\S++)")
_INSTRUCTION = re.compile(
    r"\s++/\*(?P<address>[0-9a-f]{4,8})\*/\s++(?:\{\s*+)?(?:@!?U?P\w++\s++)?"
    r"(?P<opcode>[A-Z]\w*+)(?P<suffixes>(?:\.\w++)*+)\s*+(?P<operands>[^;]*+);"
)
_LABEL = re.compile(r"(\.L_\w+):")
_CONVERSION = re.compile(r"\w+, -RZ, ")
"""First operands of a half-precision instruction that only converts or sets: minus zero times, or plus."""
_WIDE = {"128", "256"}


def disassemble(cubin: bytes, nvdisasm: str, tools: Toolbox, timeout_s: float) -> dict[str, Mix]:
    """Mangled names to mixes; empty where `nvdisasm` could make nothing of the cubin in time.

    Raises:
        EvaluatorFault: the sandbox cannot start.
    """
    with tools.folder() as work:
        (work / "kernel.cubin").write_bytes(cubin)
        (work / "kernel.cubin").chmod(0o644)
        script = f"{shlex.quote(nvdisasm)} -c kernel.cubin > kernel.sass"
        run = tools.run(["/bin/sh", "-c", script], work, timeout_s)
        if run.code != 0:
            return {}
        try:
            text = read_plain(work / "kernel.sass", MOST_BYTES)
        except OSError:
            return {}
    return parse(text.decode(errors="replace"))


def parse(text: str) -> dict[str, Mix]:
    """Mangled names to mixes, of all functions in disassembled text. Never raises.

    Not counted are NOPs and the branch to itself that the assembler puts behind the last instruction.
    """
    return {name: _mix(kinds) for name, kinds in _functions(text.splitlines())}


def _functions(lines: Iterable[str]) -> Iterator[tuple[str, Counter[str]]]:
    name, kinds, label = "", Counter[str](), ""
    for line in lines:
        if started := _SECTION.match(line):
            if name:
                yield name, kinds
            name, kinds = started[1] or started[2], Counter()
        elif labelled := _LABEL.match(line):
            label = labelled[1]
        elif name and (found := _INSTRUCTION.match(line)):
            kinds.update(_of(found, label))
            label = ""
    if name:
        yield name, kinds


def _of(found: re.Match[str], label: str) -> Iterator[str]:
    """What one instruction counts as; `label` stands right before it."""
    opcode, operands = found["opcode"], found["operands"]
    if opcode == "NOP" or (opcode == "BRA" and _goes_to(operands, found["address"], label)):
        return
    yield "total"
    suffixes = found["suffixes"].split(".")
    kind = "tensor" if _TENSOR.fullmatch(opcode) else _KIND.get(opcode, "")
    if (kind == "fp16" and _CONVERSION.match(operands)) or (opcode == "IMAD" and "MOV" in suffixes):
        return
    if kind:
        yield kind
    if kind in ("global_load", "global_store") and not _WIDE.isdisjoint(suffixes):
        yield f"{kind}_128"


def _goes_to(operands: str, address: str, label: str) -> bool:
    target = operands.strip().strip("`()")
    return (bool(label) and target == label) or (target[:2] == "0x" and target[2:] == address.lstrip("0"))


def _mix(kinds: Counter[str]) -> Mix:
    return Mix(**{"total": 0, **kinds})
