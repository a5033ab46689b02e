"""The line to a real NPU, piece by piece: tools found, command lines, generated texts, failures, traces."""

from __future__ import annotations

import ast
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from kernelopt.devices.npu import Npu
from kernelopt.errors import MissingTool, TaskError, UnknownName
from kernelopt.languages import ToolRun
from kernelopt.npu import Buffer, Param, Spec, Vectors, harness
from kernelopt.npu.hardware import bundles, commands, design, failures, line
from kernelopt.npu.hardware.toolchain import Found, Toolchain, find
from kernelopt.npu.trace import packets

SPEC = Spec(
    "add_offset",
    "",
    "void add_offset(const int8_t *x, int8_t *y, int8_t offset, bfloat16 scale)",
    (Buffer("x", "input", (254,), "int8", const=True), Buffer("y", "output", (254,), "int8")),
    (Param("offset", -11, "int8"), Param("scale", 1, "bfloat16")),
)
CALL = Vectors("seed/0", {"x": np.arange(254).astype(np.int8)}, {"offset": -11, "scale": 1.0})
CHAIN = Toolchain(
    Found("Peano", "/peano", "19.0.0.2025041501+b2a279c1"),
    Found("mlir-aie", "/mlir", "0.0.1.2025051904+c105c0b"),
    Found("XRT", "/xrt"),
    Found("NPU device", "/dev/accel/accel0"),
)


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")


def test_each_part_is_found_where_a_variable_says(tmp_path):
    touch(tmp_path / "peano/bin/clang++")
    touch(tmp_path / "mlir/bin/aiecc.py")
    touch(tmp_path / "xrt/python/pyxrt.so")
    touch(tmp_path / "accel/accel0")
    known = {"PEANO_INSTALL_DIR": str(tmp_path / "peano"), "MLIR_AIE_INSTALL_DIR": str(tmp_path / "mlir")}
    found = find(known, tmp_path / "accel", tmp_path / "xrt")
    assert all(found.parts())
    assert found.missing() is None


def test_what_is_missing_is_named_with_a_way_to_add_it(tmp_path):
    found = find({}, tmp_path / "none", tmp_path / "none")
    assert "NPU device" in found.missing()
    assert "install llvm-aie" in found.missing()


def test_a_folder_without_the_compiler_is_no_peano(tmp_path):
    assert not find({"PEANO_INSTALL_DIR": str(tmp_path)}, tmp_path, tmp_path).peano


def test_peano_is_called_as_npueval_calls_it():
    command = commands.command("compile", "aie2", CHAIN)
    assert command[0] == "/peano/bin/clang++"
    assert {"-O2", "-std=c++20", "--target=aie2-none-unknown-elf", "-DNDEBUG", "-c"} <= set(command)
    assert command[command.index("-I") + 1] == "/mlir/include"
    assert "--target=aie2p-none-unknown-elf" in commands.command("compile", "aie2p", CHAIN)


def test_designs_are_packaged_with_peano_and_without_the_vendors_compiler():
    command = commands.command("package", "aie2", CHAIN, python="python3")
    assert command[:2] == ["python3", "/mlir/bin/aiecc.py"]
    assert {"--no-xchesscc", "--no-xbridge", "--aie-generate-xclbin", "--xclbin-name=final.xclbin"} <= set(
        command
    )
    assert command[command.index("--peano") + 1] == "/peano"


@pytest.mark.parametrize("step", commands.STEPS)
def test_every_step_has_a_command_line_without_gaps(step):
    assert all(part and "{" not in part for part in commands.command(step, "aie2p", CHAIN))


def test_unknown_machines_and_steps_are_bad_input():
    with pytest.raises(UnknownName, match="aie2, aie2p"):
        commands.command("compile", "aie9", CHAIN)
    with pytest.raises(UnknownName, match="compile"):
        commands.command("fly", "aie2", CHAIN)


def test_versions_tell_which_pins_are_installed():
    assert commands.profile(CHAIN) == "npueval"
    other = Toolchain(Found("Peano", "/p", "20.0"), CHAIN.mlir_aie, CHAIN.xrt, CHAIN.device)
    assert commands.profile(other) == "current"


def test_the_unit_calls_the_kernel_between_the_events():
    text = design.unit("void add_offset(const int8_t *x, int8_t *y, int8_t o, bfloat16 s) {}", SPEC)
    body = text[text.index('extern "C"') :]
    assert "add_offset_wrapper(const int8_t *x, int8_t *y, int8_t offset, bfloat16 scale)" in body
    order = ["set_rounding", "event0();", "add_offset(x, y, offset, scale);", "event1();"]
    places = [body.index(word) for word in order]
    assert places == sorted(places)


@pytest.mark.parametrize("machine", ["aie2", "aie2p"])
def test_the_design_is_a_program_with_one_tile_fifos_and_a_trace(machine):
    text = design.design(SPEC, machine)
    ast.parse(text)
    assert f"AIEDevice.{commands.machine(machine)['device']}" in text
    assert "tile(0, 0), tile(0, 2)" in text
    assert 'object_fifo("x", shim, compute, 2, x_ty)' in text
    assert 'object_fifo("y", compute, shim, 2, y_ty)' in text
    assert "call(x_elem, y_elem, -11, 1)" in text
    assert "np.ndarray[(256,), np.dtype[np.int8]]" in text, "254 bytes are padded to whole words"
    assert "trace_offset=256" in text
    assert text.index("CoreEvent.INSTR_EVENT_0") < text.index("CoreEvent.INSTR_VECTOR")


def test_the_program_that_runs_it_reads_and_writes_what_the_harness_does():
    text = design.host(SPEC)
    ast.parse(text)
    assert "INPUTS = [254]" in text
    assert "OUTPUT_BYTES, PADDED_BYTES, TRACE_BYTES = 254, 256, 8192" in text
    assert "PARAM_BYTES = 3" in text


def test_what_does_not_fit_into_a_tile_is_refused():
    big = Spec("k", "", "", (Buffer("x", "input", (20000,), "int16"), Buffer("y", "output", (4,), "int16")))
    with pytest.raises(TaskError, match="a tile has 65536"):
        design.design(big, "aie2")
    many = tuple(Buffer(f"x{i}", "input", (4,), "int8") for i in range(3))
    with pytest.raises(TaskError, match="1 or 2 inputs"):
        design.design(Spec("k", "", "", (*many, Buffer("y", "output", (4,), "int8"))), "aie2")


@pytest.mark.parametrize(
    ("log", "kind", "words", "number"),
    [
        ("kernel.cc:7:15: error: no member named 'foo' in namespace 'aie'\n", "build", "no member named", 7),
        (
            "/mlir/include/aie_api/vec.hpp:90:3: error: static assertion failed: lanes\n"
            "kernel.cc:4:9: note: in instantiation of member function\n",
            "build",
            "static assertion failed: lanes (in vec.hpp)",
            4,
        ),
        (
            "ld.lld: error: section '.text' will not fit in region 'program': overflowed by 812 bytes",
            "build",
            "812 bytes too many",
            0,
        ),
        ("ld.lld: error: undefined symbol: expf\n", "build", "nothing defines expf", 0),
        (
            "fatal error: error in backend: unable to legalize instruction",
            "build",
            "no instruction for it",
            0,
        ),
        ("error: 'aie.tile' op allocated buffers exceeded available memory\n", "build", "64 KB", 0),
        ("npu: the run ended as ert_cmd_state.ERT_CMD_STATE_TIMEOUT", "timeout", "did not finish", 0),
        ("npu: the run ended as ERT_CMD_STATE_ERROR", "crash", "ERT_CMD_STATE_ERROR", 0),
        ("mmap(len=67108864) failed (err=11): Resource temporarily unavailable", "crash", "memlock", 0),
        ("RuntimeError: No such device with index '0'", "crash", "no NPU", 0),
        ("", "build", "without saying why", 0),
    ],
)
def test_every_known_failure_has_its_sentence(log, kind, words, number):
    found = failures.read(log)
    assert (found.kind, found.line) == (kind, number)
    assert words in found.message


def test_a_stopped_tool_is_a_timeout():
    assert failures.read("anything", late=True).kind == "timeout"


LISTING = """
kernel.o:	file format elf32-aie2

Disassembly of section .text:

00000000 <add_offset>:
       0: 	nopb	; nopa	; nops	; nopx	; mov p0, p1	; nopv
      10: 	vldb wl0, [p0], #32; vadd.8 x1, x0, x2
      18: 	nop
      1a: 	vst wl1, [p1], #32; ret lr
"""


def test_bundles_are_counted_with_what_they_do():
    found = bundles.read(LISTING)
    assert (found.bundles, found.operations, found.empty, found.vector) == (4, 5, 1, 1)
    assert found.functions == {"add_offset": 4}
    assert found.mnemonics["vldb"] == 1
    assert "4 bundles, 1.25 operations each, 1 empty, 1 with a vector operation" in found.story()
    assert bundles.read("no such file").story() == ""


def test_code_size_is_that_of_all_text():
    assert bundles.code_bytes("section  size  addr\n.text   512   0\n.text.f  64   0\n.data  100  0\n") == 576


PROGRAMS = ("clang++", "llvm-size", "llvm-objdump", "design.py", "aiecc.py", "host.py")


class Tools:
    """A toolbox that answers by the name of the program and leaves what a tool would leave."""

    def __init__(self, folder: Path, answers: dict[str, tuple[int, str]], left: dict[str, bytes]) -> None:
        self.place, self.answers, self.left = folder, answers, left
        self.ran: list[str] = []

    def folder(self):
        return nullcontext(self.place)

    def run(self, command, folder, timeout_s):
        name = next(word for word in PROGRAMS if any(part.endswith(word) for part in command))
        self.ran.append(name)
        for file, content in self.left.items():
            (folder / file).write_bytes(content)
        code, log = self.answers.get(name, (0, ""))
        return ToolRun(code, log, 0.5)


def trace(pulses: list[int], end: int) -> bytes:
    frames = [(0, frozenset({0})), *((p, frozenset({2})) for p in pulses), (end, frozenset({1}))]
    words = packets.to_words(packets.encode(list(packets.frames_to_commands(frames))), 2, 0)
    return "\n".join(f"{word:08x}" for word in words).encode()


def run(tools: Tools, chain: Toolchain = CHAIN):
    return line.run("void add_offset() {}", SPEC, [CALL], "aie2", tools, 60.0, chain)


def test_the_whole_way_gives_outputs_and_measured_cycles(tmp_path):
    outputs = np.arange(254).astype(np.int8).tobytes()
    left = {"kernel.o": b"\x7fELF", harness.OUTPUTS: outputs, "trace.txt": trace([10, 20, 30, 40], 60)}
    tools = Tools(tmp_path, {"llvm-size": (0, ".text 512 0"), "llvm-objdump": (0, LISTING)}, left)
    found = run(tools)
    assert tools.ran == ["clang++", "llvm-size", "llvm-objdump", "design.py", "aiecc.py", "host.py"]
    assert found.failure is None
    assert bytes(found.outputs[0]["y"]) == outputs
    assert (found.cycles.total, found.cycles.vector) == (60, 4)
    assert (found.cycles.total_legacy, found.cycles.vector_legacy) == (39, 1)
    assert "512 of 16384 bytes of program" in found.cycles.notes
    assert (tmp_path / harness.INPUTS).read_bytes() == harness.pack(SPEC, [CALL])


@pytest.mark.parametrize("step", ["clang++", "design.py", "aiecc.py", "host.py"])
def test_a_failure_at_any_step_is_data(tmp_path, step):
    found = run(Tools(tmp_path, {step: (1, "kernel.cc:3:1: error: no")}, {}))
    assert (found.failure.message, found.failure.line, found.cycles) == ("no", 3, None)


def test_a_program_that_is_too_large_is_a_failure_before_anything_runs(tmp_path):
    tools = Tools(tmp_path, {"llvm-size": (0, ".text 20000 0")}, {})
    assert "20000 bytes of program" in run(tools).failure.message
    assert "host.py" not in tools.ran


def test_a_run_without_outputs_is_a_crash(tmp_path):
    assert run(Tools(tmp_path, {}, {})).failure.kind == "crash"


def test_a_trace_without_events_gives_no_cycles():
    assert line.decoded("00000000\n", "aie2") is None


def test_peano_alone_compiles_and_counts(tmp_path):
    chain = Toolchain(CHAIN.peano, CHAIN.mlir_aie, Found("XRT", mend="x"), Found("NPU device", mend="y"))
    tools = Tools(tmp_path, {"llvm-objdump": (0, LISTING)}, {"kernel.o": b"\x7fELF"})
    found = line.compiled("", SPEC, "aie2", chain, tools, 60.0)
    assert (found.failure, found.object, found.bundles.bundles) == (None, b"\x7fELF", 4)
    with pytest.raises(MissingTool, match="no XRT, no NPU device: x"):
        run(tools, chain)


def test_without_peano_nothing_is_tried(tmp_path):
    chain = Toolchain(Found("Peano", mend="add it"), *CHAIN.parts()[1:])
    with pytest.raises(MissingTool, match="no Peano: add it"):
        line.compiled("", SPEC, "aie2", chain, Tools(tmp_path, {}, {}), 60.0)


def test_the_device_tells_what_is_missing_of_its_line(monkeypatch):
    monkeypatch.setattr(
        "kernelopt.npu.hardware.toolchain.find", lambda: Toolchain(*(Found(n, mend="m") for n in "abcd"))
    )
    assert Npu().missing() == "no a, no b, no c, no d: m"
    assert not Npu().compiles()
    assert Npu().describe()["a"] == "missing"
    with pytest.raises(MissingTool, match="trace"):
        Npu().ceilings()
