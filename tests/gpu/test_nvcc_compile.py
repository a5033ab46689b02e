"""CUDA sources through nvcc: NVRTC's contract, with a system's headers to guard against."""

import shutil

import pytest
from cuda_sources import SOFTMAX, SOURCES, VECTOR_ADD

from kernelopt import registry
from kernelopt.errors import MissingTool, UsageError
from kernelopt.evaluator.workers.tools import SandboxTools
from kernelopt.gpu import Compilation, toolkit
from kernelopt.gpu.nvcc import Look, compile_source
from kernelopt.languages._tools import HostTools
from kernelopt.sandboxes import Limits

if toolkit.locate("nvcc") is None or shutil.which("g++") is None:
    pytest.skip(f"no nvcc or no g++; run: {toolkit.how_to_add('nvcc')}", allow_module_level=True)
QUICK = Look(sass=False)


def compiled(text: str, arch: str = "sm_90", *options: str, look: Look = QUICK) -> Compilation:
    return compile_source(text, arch, options, HostTools(), 120.0, look=look)


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["sm_80", "sm_90", "sm_100"])
def test_every_kernel_of_the_collection_is_told_in_numbers(arch):
    for name, text in SOURCES.items():
        done = compiled(text, arch)
        assert done.ok, f"{name}: {done.log}"
        assert done.binary.startswith(b"\x7fELF")
        assert all(0 < kernel.registers <= 255 for kernel in done.kernels)
        assert len(done.kernels) == (2 if name == "two_kernels" else 1)


def test_numbers_names_and_occupancy_of_one_kernel():
    done = compiled(SOFTMAX)
    (kernel,) = done.kernels
    assert (kernel.name, kernel.shared_bytes, kernel.barriers) == ("softmax", 1024, 1)
    assert kernel.occupancy is not None
    assert kernel.occupancy.block_threads == 256
    assert done.tool.startswith("nvcc 1")
    assert "used 1 barriers" in done.log


def test_instructions_are_counted_where_there_is_a_disassembler():
    if toolkit.locate("nvdisasm") is None:
        pytest.skip(f"no nvdisasm; run: {toolkit.how_to_add('nvdisasm')}")
    (kernel,) = compiled(SOFTMAX, look=Look()).kernels
    assert kernel.mix is not None
    assert kernel.mix.special >= 2
    assert kernel.mix.barrier >= 4


def test_the_host_half_is_not_compiled_and_main_is_no_error():
    done = compiled(
        f"#include <vector>\n#include <iostream>\n{VECTOR_ADD}\nint main() {{ std::vector<int> v; }}"
    )
    assert done.ok, done.log


def test_an_error_has_its_place_and_the_log_no_folder():
    done = compiled('extern "C" __global__ void f(float* x) {\n    x[0] = missing;\n}')
    assert not done.ok
    assert done.binary == b""
    (error,) = done.diagnostics
    assert (error.severity, error.file, error.line) == ("error", "kernel.cu", 2)
    assert "/tmp" not in done.log


def test_a_missing_header_is_an_error_of_the_host_compiler():
    done = compiled("#include <torch/extension.h>\n" + VECTOR_ADD)
    assert not done.ok
    assert any("torch/extension.h" in one.message for one in done.diagnostics)


def test_a_warning_does_not_fail_it():
    done = compiled('extern "C" __global__ void f(float* x) { int unused; x[0] = 1.f; }')
    assert done.ok
    assert [one.severity for one in done.diagnostics] == ["warning"]


def test_a_compilation_is_stopped_in_time():
    done = compile_source(VECTOR_ADD, "sm_90", [], HostTools(), 0.01, look=QUICK)
    assert not done.ok
    assert "stopped after" in done.log
    assert done.facts == {"stopped": "time limit"}


def test_an_architecture_that_nobody_knows_is_a_usage_error():
    with pytest.raises(UsageError, match="known are"):
        compiled(VECTOR_ADD, "gfx942")


def test_without_nvcc_the_command_that_adds_it_is_told(monkeypatch):
    monkeypatch.setattr(toolkit, "locate", lambda name: None)
    with pytest.raises(MissingTool, match="pip install nvidia-cuda-nvcc"):
        compiled(VECTOR_ADD)


def test_an_nvcc_that_the_sandbox_does_not_show_is_told(monkeypatch):
    monkeypatch.setattr(toolkit, "locate", lambda name: ("/nowhere/nvcc", "PATH"))
    with pytest.raises(MissingTool, match="does not show nvcc"):
        compiled(VECTOR_ADD)


@pytest.mark.parametrize(
    "attack",
    [
        '#include "{file}"',
        '#define FILE "{file}"\n#include FILE',
        '#line 1 "innocent.h"\n#include "{file}"',
        '#define HASH #\nHASH include "{file}"',
        '#line 1 "{file}"\n#error stop',
        '# 1 "{file}"\nint f() { return broken; }',
        '#define HASH %:\nHASH include "{file}"',
        '#define NOTHING\n#define HASH NOTHING #\nHASH include "{file}"',
        '#define HASH #\nHASH import "{file}"',
        "#inc\\\nlude \"{file}\"",
        '#include_next "{file}"',
        'import "{file}";',
        'const char x[] = {\n#embed "{file}"\n};',
        'const char x[] = R"(\n#include "{file}"\n)";',
        '__global__ void h() { asm("\\n#include \\"{file}\\"\\n"); }',
        '__global__ void h() { asm(".include \\"{file}\\""); }',
        '__global__ void h() { asm(".incbin \\"{file}\\""); }',
    ],
)  # fmt: skip
def test_no_file_of_this_machine_comes_into_log_or_code(tmp_path, attack):
    secret = tmp_path / "secret.h"
    secret.write_text("int private_key_8451 = broken;\n")
    for file in (str(secret), "/etc/passwd"):
        done = compiled(f"{attack.replace('{file}', file)}\n{VECTOR_ADD}", "sm_90", "-std=c++20")
        assert not done.ok, done.log
        told = f"{done.log}{done.diagnostics}"
        assert "8451" not in told
        assert "root:" not in told


def test_host_assembly_that_reads_files_is_never_assembled():
    done = compiled(f'asm(".incbin \\"/etc/passwd\\"");\n{VECTOR_ADD}')
    assert done.ok
    assert b"root:" not in done.binary


@pytest.mark.parametrize(
    "option",
    [
        *("-I/etc", "-include=/etc/passwd", "-arch=sm_80", "-gencode=arch=compute_80,code=sm_80", "-dc"),
        *("-Xcompiler=-B.", "-Xptxas=-o=x", "-Xlinker=x", "-ccbin=/tmp/x", "--options-file=x", "-optf=x"),
        *("-o", "x.cu", "-keep", "-rdc=true", "-G", "-Xcudafe=x", "--pre-include=x", "-D1=2", "-run"),
    ],
)  # fmt: skip
def test_options_that_name_files_or_start_programs_are_refused(option):
    done = compiled(VECTOR_ADD, "sm_90", option)
    assert not done.ok
    assert done.log.startswith("refused: the option")


def test_options_that_change_only_the_code_are_taken():
    options = [
        "-O3",
        "-std=c++17",
        "--use_fast_math",
        "-DN=4",
        "--expt-relaxed-constexpr",
        "-maxrregcount=64",
    ]
    assert compiled(VECTOR_ADD, "sm_90", *options, "-Xptxas -O3,-dlcm=ca", "--extended-lambda").ok


@pytest.mark.parametrize("name", ["process", "bwrap"])
def test_it_compiles_in_a_sandbox(name):
    sandbox = registry.get("sandboxes", name)([])
    try:
        if problem := sandbox.missing():
            pytest.skip(problem)
        done = compile_source(SOFTMAX, "sm_90", [], SandboxTools(sandbox, Limits()), 60.0, look=QUICK)
        assert [kernel.name for kernel in done.kernels] == ["softmax"], done.log
        assert [path for path in sandbox.room.iterdir() if path.name.startswith("build-")] == []
    finally:
        sandbox.close()
