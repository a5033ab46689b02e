"""Disassembled code as counts of instruction kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.gpu import Mix, sass, toolkit
from kernelopt.languages._tools import HostTools

ADD = """
	.headerflags	@"EF_CUDA_SM90 EF_CUDA_VIRTUAL_SM(EF_CUDA_SM90)"
//--------------------- .text._ZN4ours5firstEPf     --------------------------
	.section	.text._ZN4ours5firstEPf,"ax",@progbits
_ZN4ours5firstEPf:
.text._ZN4ours5firstEPf:
        /*0000*/                   LDC R1, c[0x0][0x28] ;
        /*0010*/                   S2R R5, SR_TID.X ;
        /*0020*/              @!P0 IMAD.WIDE.U32 R2, R5, 0x4, R2 ;
        /*0030*/                   LDG.E.128 R0, desc[UR4][R2.64] ;
        /*0040*/                   FADD R5, R0, R0 ;
        /*0050*/              @P1  STG.E desc[UR4][R2.64], R5 ;
        /*0060*/                   EXIT ;
.L_x_0:
        /*0070*/                   BRA `(.L_x_0);
        /*0080*/                   NOP;
.L_x_4:
"""


def kinds(*lines: str) -> dict[str, int]:
    """What a function of these instructions counts, zeros and the total left out."""
    body = "".join(f"        /*{16 * i:04x}*/                   {line} ;\n" for i, line in enumerate(lines))
    mix = sass.parse(f'	.section	.text.k,"ax",@progbits\n{body}')["k"]
    assert mix.total == len(lines)
    return {name: value for name in Mix.__slots__ if (value := getattr(mix, name)) and name != "total"}


def test_a_function_is_counted_without_its_padding():
    found = sass.parse(ADD)
    counted = Mix(7, fp32=1, integer=1, global_load=1, global_load_128=1, global_store=1)
    assert found == {"_ZN4ours5firstEPf": counted}


def test_cuobjdumps_text_gives_the_same():
    text = ADD.replace(
        '	.section	.text._ZN4ours5firstEPf,"ax",@progbits', "		Function : _ZN4ours5firstEPf"
    )
    lines = [line for line in text.splitlines() if not line.startswith(".L_")]
    code = "\n".join(f"{line}   /* 0x00000a00ff017b82 */" for line in lines)
    assert sass.parse(code.replace("`(.L_x_0)", "0x70")) == sass.parse(ADD)


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("FFMA R1, R2, R3, R4", {"fp32": 1}),
        ("FFMA2 R4, R4.F32x2.HI_LO, R6.F32x2.HI_LO, R8.F32x2.HI_LO", {"fp32": 1}),
        ("DFMA R2, R4, R6, R8", {"fp64": 1}),
        ("HFMA2.BF16_V2 R1, R2, R3, R4", {"fp16": 1}),
        ("HFMA2.MMA R1, R2, R3, R4", {"fp16": 1}),
        ("HMMA.16816.F32.BF16 R4, R8, R12, R4", {"tensor": 1}),
        ("HGMMA.64x128x16.F32.BF16 R24, gdesc[UR8], R24, gsb0", {"tensor": 1}),
        ("QMMA.16832.F32.E4M3.E4M3 R4, R8, R12, R4", {"tensor": 1}),
        ("UTCHMMA gdesc[UR12], gdesc[UR14], tmem[UR9], tmem[UR16], idesc[UR17], UP0", {"tensor": 1}),
        ("UTCQMMA.2CTA gdesc[UR12], gdesc[UR14], tmem[UR9], tmem[UR16], idesc[UR17]", {"tensor": 1}),
        ("MUFU.EX2 R3, R3", {"special": 1}),
        ("LDG.E.64 R2, desc[UR4][R2.64]", {"global_load": 1}),
        ("LDG.E.128.CONSTANT R4, [R2.64]", {"global_load": 1, "global_load_128": 1}),
        ("LDG.E.ENL2.256.CONSTANT R8, R4, desc[UR4][R2.64]", {"global_load": 1, "global_load_128": 1}),
        ("STG.E.128 desc[UR4][R4.64], R8", {"global_store": 1, "global_store_128": 1}),
        ("LDSM.16.M88.4 R4, [R8]", {"shared_load": 1}),
        ("STS.128 [R5], R8", {"shared_store": 1}),
        ("LDL.LU R9, [R1+0x4]", {"local": 1}),
        ("STL [R1], R9", {"local": 1}),
        ("LDGSTS.E.BYPASS.128 [R7], [R2.64]", {"async_copy": 1}),
        ("UTMALDG.2D [UR8], [UR4]", {"async_copy": 1}),
        ("UBLKCP.S.G [UR8], [UR4], UR6", {"async_copy": 1}),
        ("RED.E.ADD.F32.FTZ.RN.STRONG.GPU desc[UR4][R2.64], R5", {"atomic": 1}),
        ("ATOMS.POPC.INC.32 RZ, [R4]", {"atomic": 1}),
        ("BAR.SYNC.DEFER_BLOCKING 0x0", {"barrier": 1}),
        ("SYNCS.ARRIVE.TRANS64.A1T0 RZ, [R4+URZ], RZ", {"barrier": 1}),
        ("BRA.U UP0, `(.L_x_9)", {"branch": 1}),
        ("CALL.REL.NOINC `($k$helper)", {"branch": 1}),
        ("UIADD3.64 UR4, UR4, UR6, URZ", {"integer": 1}),
        ("ISETP.GE.AND P0, PT, R4, R5, PT", {"integer": 1}),
    ],
)
def test_each_kind_has_its_instructions(line, counted):
    assert kinds(line) == counted


@pytest.mark.parametrize(
    "line",
    [
        "HFMA2.MMA R5, -RZ, RZ, 1.875, 0",
        "HADD2.F32 R5, -RZ, R4.H0_H0",
        "IMAD.MOV.U32 R5, RZ, RZ, R4",
        "MOV R5, R4",
        "LDGDEPBAR",
        "DEPBAR.LE SB0, 0x0",
        "BSSY.RECONVERGENT B0, `(.L_x_1)",
        "LDC.64 R2, c[0x0][0x210]",
        "EXIT",
    ],
)
def test_moves_conversions_and_waits_are_of_no_kind(line):
    assert kinds(line) == {}


def test_a_loop_is_no_branch_to_itself():
    assert kinds("FADD R1, R1, R1", "@P0 BRA 0x0") == {"fp32": 1, "branch": 1}


@given(st.text(max_size=1000))
def test_any_text_is_read_without_complaint(text):
    assert sass.parse(f"{ADD}{text}")["_ZN4ours5firstEPf"].total >= 7


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["A", ".A", "@!UP", " ", "/*0000*/ ", "\t.section\t.text."])
def test_long_lines_take_no_long_time(piece):
    sass.parse(f"{ADD}        /*0000*/ {piece * 300_000}\n{piece * 300_000}")


# The disassembler ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nvdisasm():
    found = toolkit.locate("nvdisasm")
    if found is None:
        pytest.skip(f"no nvdisasm; run: {toolkit.how_to_add('nvdisasm')}")
    return found[0]


@pytest.mark.parametrize("cubin", [b"", b"\x7fELF", b"\x7fELF\x02\x01\x01" + bytes(200), b"\xff" * 5000])
def test_what_is_no_cubin_gives_no_counts(nvdisasm, cubin):
    assert sass.disassemble(cubin, nvdisasm, HostTools(), 20.0) == {}


def test_a_disassembler_that_is_not_there_or_too_slow_gives_no_counts(nvdisasm):
    assert sass.disassemble(b"", "/nowhere/nvdisasm", HostTools(), 20.0) == {}
    assert sass.disassemble(b"\x7fELF", nvdisasm, HostTools(), 0.0) == {}
