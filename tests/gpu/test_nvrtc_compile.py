"""CUDA sources through NVRTC: numbers of real kernels, errors as data, and no file read."""

import importlib.util

import pytest
from cuda_sources import ATOMICS, DYNAMIC_SHARED, SOFTMAX, SOURCES, VECTOR_ADD, WMMA_BF16
from hypothesis import given
from hypothesis import strategies as st

from kernelopt import registry
from kernelopt.errors import MissingTool, UsageError
from kernelopt.evaluator.workers.tools import SandboxTools
from kernelopt.gpu import Compilation, CompiledKernel, _elf, _headers, _options, toolkit
from kernelopt.gpu.nvrtc import Look, compile_source
from kernelopt.languages._tools import HostTools
from kernelopt.sandboxes import Limits

if not toolkit.nvrtc_version() or importlib.util.find_spec("cuda") is None:
    pytest.skip(f"no NVRTC; run: {toolkit.how_to_add('nvrtc')}", allow_module_level=True)
needs_nvdisasm = pytest.mark.skipif(
    toolkit.locate("nvdisasm") is None, reason=f"no nvdisasm; run: {toolkit.how_to_add('nvdisasm')}"
)
QUICK = Look(sass=False)


def compiled(text: str, arch: str = "sm_90", *options: str, look: Look = QUICK) -> Compilation:
    return compile_source(text, arch, options, HostTools(), 120.0, look=look)


def only(done: Compilation) -> CompiledKernel:
    assert done.ok, done.log
    (kernel,) = done.kernels
    return kernel


# Numbers -------------------------------------------------------------------------------------------


@pytest.mark.slow
@needs_nvdisasm
@pytest.mark.parametrize("arch", ["sm_80", "sm_90", "sm_100"])
def test_every_kernel_of_the_collection_is_told_in_numbers(arch):
    for name, text in SOURCES.items():
        done = compiled(text, arch, look=Look())
        assert done.ok, f"{name}: {done.log}"
        assert done.binary.startswith(b"\x7fELF")
        for kernel in done.kernels:
            assert 0 < kernel.registers <= 255
            assert kernel.mix is not None, name
            assert kernel.mix.total > 5
            assert kernel.mix.global_store, name


@pytest.mark.slow
@needs_nvdisasm
@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_each_kernel_shows_what_it_was_written_to_show(arch):
    made = {
        name: only(compiled(SOURCES[name], arch, look=Look())) for name in SOURCES if name != "two_kernels"
    }
    mixes = {name: kernel.mix for name, kernel in made.items()}
    assert (mixes["vector_add"].global_load, mixes["vector_add"].global_load_128) == (2, 0)
    assert (mixes["vector_add_128"].global_load_128, mixes["vector_add_128"].global_store_128) == (2, 1)
    assert mixes["softmax"].special >= 2
    assert made["softmax"].shared_bytes == 1024
    assert made["transpose"].name == "transpose<float, 32>"
    assert made["transpose"].shared_bytes == 32 * 33 * 4
    assert mixes["wmma_bf16"].tensor >= 2
    assert made["spills"].spill_store_bytes > 0 < made["spills"].spill_load_bytes
    assert mixes["spills"].local > 100
    assert made["spills"].registers == 32
    assert made["local_array"].stack_bytes == 256
    assert made["local_array"].spill_store_bytes == 0 < mixes["local_array"].local
    assert mixes["atomics"].atomic == 2
    assert mixes["async_copy"].async_copy == 1
    assert mixes["half"].fp16 == 1
    assert mixes["double"].fp64 == 1
    assert mixes["matmul"].fp32 >= 16 < mixes["matmul"].shared_load
    assert made["matmul"].barriers == 1


def test_names_are_those_of_the_source():
    done = compiled(SOURCES["two_kernels"])
    assert sorted(kernel.name for kernel in done.kernels) == ["ours::first", "second"]
    assert done.arch == "sm_90"
    assert done.tool.startswith("nvrtc ")


def test_occupancy_is_that_of_the_block_that_the_kernel_was_compiled_for():
    occupancy = only(compiled(SOFTMAX)).occupancy
    assert occupancy is not None
    assert (occupancy.block_threads, occupancy.fraction) == (256, 1.0)
    assert only(compiled(VECTOR_ADD)).occupancy is None


def test_occupancy_counts_the_dynamic_shared_memory_of_the_launch():
    look = Look(sass=False, block_threads=128, dynamic_shared_bytes=100 << 10)
    occupancy = only(compiled(DYNAMIC_SHARED, look=look)).occupancy
    assert occupancy is not None
    assert (occupancy.blocks, occupancy.limited_by) == (2, "shared memory")


def test_the_feature_letter_reaches_the_compiler():
    only_hopper = """
    extern "C" __global__ void f(unsigned* x) {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 200;");
        x[threadIdx.x] = 1;
    }"""
    assert compiled(only_hopper, "sm_90a").ok
    assert not compiled(only_hopper, "sm_90").ok


def test_the_same_source_gives_the_same_bytes_without_a_folder_of_this_machine():
    first, second = compiled(ATOMICS), compiled(ATOMICS)
    assert first.binary == second.binary
    assert b"kernelopt" not in first.binary
    assert b"/tmp" not in first.binary


# Headers -------------------------------------------------------------------------------------------

COMMON = """
#include <cuda_runtime.h>
#include <cstdint>
#include <climits>
#include <cfloat>
#include <cmath>
#include <limits>
#include <algorithm>
#include <cstdio>
#include <cassert>
extern "C" __global__ void f(float* x, int64_t n, uint8_t* y) {
    x[0] = std::max(std::min(x[1], FLT_MAX), -INFINITY) + std::sqrt(x[2]) + float(M_PI);
    x[1] = std::numeric_limits<float>::infinity() + std::numeric_limits<float>::lowest();
    static_assert(std::numeric_limits<int>::max() == INT_MAX, "");
    static_assert(std::numeric_limits<int>::min() == INT_MIN, "");
    static_assert(std::numeric_limits<unsigned char>::max() == 255, "");
    static_assert(std::numeric_limits<long>::min() == LONG_MIN && INT64_MAX == LLONG_MAX, "");
    static_assert(std::numeric_limits<double>::max() < std::numeric_limits<double>::infinity(), "");
    static_assert(std::is_same<int, int>::value, "");
    assert(n > 0);
    printf("%d", int(n));
    y[0] = UINT8_MAX;
}
"""
HEADERS_OF_CUDA = """
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
extern "C" __global__ void f(__half* x, __nv_bfloat16* y) {
    cg::this_thread_block().sync();
    x[cg::this_grid().thread_rank()] = __float2half(__bfloat162float(y[0]));
}
"""


def needs_headers():
    if not _headers.roots():
        pytest.skip("no CUDA headers: this NVRTC brings none along, and there is no toolkit")


def test_common_headers_of_the_cpp_library_are_there():
    text = COMMON.replace("#include <cmath>", "#include <cmath>\n#include <type_traits>")
    needs_headers()
    done = compiled(text, "sm_80", "--std=c++17")
    assert done.ok, done.log
    assert done.diagnostics == ()


def test_headers_of_cuda_are_there():
    needs_headers()
    done = compiled(HEADERS_OF_CUDA)
    assert done.ok, done.log
    assert compiled(WMMA_BF16).ok


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../../../../../../../etc/passwd", "cuda/../../../../etc/passwd"]
)
def test_no_other_file_is_handed_over_as_a_header(name):
    assert _headers.needed(f'#include "{name}"\n#include <{name}>\n') == {}


def test_includes_within_headers_mean_one_file_each():
    needs_headers()
    found = _headers.needed("#include <cooperative_groups.h>\n")
    assert "cooperative_groups/details/info.h" in found
    quoted = [
        line
        for text in found.values()
        for line in text.splitlines()
        if line.lstrip().startswith('#include "')
    ]
    assert quoted == []


@pytest.mark.timeout(60)
def test_a_source_of_nothing_but_includes_takes_no_long_time():
    assert _headers.needed("".join(f"#include <h{i}>\n" for i in range(100_000))) == {}


def test_a_header_that_is_nowhere_is_named():
    done = compiled("#include <torch/extension.h>\n" + VECTOR_ADD)
    assert not done.ok
    (error,) = done.diagnostics
    assert "torch/extension.h" in error.message
    assert error.line == 1


# Errors are data -----------------------------------------------------------------------------------


def test_an_error_has_its_place():
    done = compiled('extern "C" __global__ void f(float* x) {\n    x[0] = missing;\n}')
    assert not done.ok
    assert done.kernels == ()
    assert done.binary == b""
    (error,) = done.diagnostics
    assert (error.severity, error.file, error.line) == ("error", "kernel.cu", 2)
    assert "missing" in error.message


def test_an_error_of_the_assembler_is_data_too():
    done = compiled('extern "C" __global__ void f() { asm volatile("no.such.instruction;"); }')
    assert not done.ok
    assert any(one.severity == "error" for one in done.diagnostics)


def test_too_much_shared_memory_is_an_error():
    done = compiled("""
    extern "C" __global__ void f(int* x) {
        __shared__ int s[20000];
        s[*x] = 1;
        __syncthreads();
        x[1] = s[x[2]];
    }""")
    assert not done.ok
    assert done.diagnostics


def test_text_that_is_no_text_is_data():
    assert not compiled("\udcff \ud800{").ok
    assert "NUL" in compiled(f"{VECTOR_ADD}\0{VECTOR_ADD}").log


def test_a_compilation_is_stopped_in_time():
    endless = """
    template <int A, long B> struct F { static const long v = F<A - 1, 2 * B>::v + F<A - 1, 2 * B + 1>::v; };
    template <long B> struct F<0, B> { static const long v = B; };
    extern "C" __global__ void f(long* x) { x[0] = F<40, 1>::v; }"""
    done = compile_source(endless, "sm_90", [], HostTools(), 1.5, look=QUICK)
    assert not done.ok
    assert "stopped after" in done.log
    assert done.facts == {"stopped": "time limit"}


def test_an_architecture_that_nobody_knows_is_a_usage_error():
    with pytest.raises(UsageError, match="known are"):
        compiled(VECTOR_ADD, "sm_91")


def test_one_that_this_nvrtc_does_not_know_is_data():
    done = compiled(VECTOR_ADD, "sm_70")  # the last that knew it was of CUDA 12
    assert done.ok or "sm_70" in done.log or "gpu-architecture" in done.log


def test_without_nvrtc_the_command_that_adds_it_is_told(monkeypatch):
    monkeypatch.setattr(toolkit, "nvrtc_version", lambda: "")
    with pytest.raises(MissingTool, match="pip install"):
        compiled(VECTOR_ADD)


# Nothing is read but the source and CUDA's headers --------------------------------------------------


@pytest.mark.parametrize(
    "attack",
    [
        '#include "{file}"',
        "#include <{file}>",
        '#define FILE "{file}"\n#include FILE',
        '#define HASH #\nHASH include "{file}"',
        '#line 1 "innocent.h"\n#include "{file}"',
        '%:include "{file}"',
        "#inc\\\nlude \"{file}\"",
        '#include_next "{file}"',
        '#import "{file}"',
        'import "{file}";',
        'const char x[] = {\n#embed "{file}"\n};',
        '__device__ void g() { asm("\\n#include \\"{file}\\"\\n"); }\n__global__ void h() { g(); }',
        '__global__ void h() { asm(".include \\"{file}\\""); }',
        '__global__ void h() { asm(".incbin \\"{file}\\""); }',
    ],
)  # fmt: skip
def test_no_file_of_this_machine_comes_into_log_or_code(tmp_path, attack):
    secret = tmp_path / "secret.h"
    secret.write_text("int private_key_8451 = broken;\n")
    for file in (str(secret), "/etc/passwd", "../../../../../../../../../../etc/passwd"):
        done = compiled(f"{attack.replace('{file}', file)}\n{VECTOR_ADD}", "sm_90", "--std=c++20")
        assert not done.ok, done.log
        told = f"{done.log}{done.diagnostics}"
        assert "8451" not in told
        assert "root:" not in told


def test_it_cannot_even_be_told_whether_a_file_exists():
    text = '#if __has_include("/etc/passwd")\n#error there\n#endif\n'
    assert compiled(text + VECTOR_ADD).ok


@pytest.mark.parametrize(
    "option",
    [
        *("-I/etc", "--include-path=/etc", "-include=/etc/passwd", "--pre-include=/etc/passwd"),
        *("-arch=sm_80", "--gpu-architecture=sm_80", "--use-pch=x", "--create-pch=/tmp/x", "--time=/tmp/x"),
        *("-Xptxas=--output=x", "-Xptxas -o=x", "-Xptxas=-v,-o=x", "--ptxas-options=@/etc/passwd", "-Xptxas"),
        *("--fdevice-time-trace=/tmp/x", "@/etc/passwd", "x.cu", "-O3 -o /tmp/x", "-D" * 200, "-DX=`id`"),
        *("-D1", "-rdc=true", "--device-debug", "--dlink-time-opt"),
    ],
)  # fmt: skip
def test_options_that_name_files_or_change_the_target_are_refused(option):
    done = compiled(VECTOR_ADD, "sm_90", option)
    assert not done.ok
    assert done.log.startswith("refused: the option")


@pytest.mark.parametrize(
    "option",
    [
        *("--std=c++20", "-std=c++17", "--use_fast_math", "-use_fast_math", "--fmad=false", "-D N=4"),
        *("-DBLOCK=128", "--maxrregcount=64", "-maxrregcount 64", "-Xptxas -O2", "-Xptxas=-v,-dlcm=ca"),
        *("--ptxas-options=-O3", "-lineinfo", "--extra-device-vectorization", "-w", "--diag-suppress=177"),
        "-default-device",
    ],
)  # fmt: skip
def test_options_that_change_only_the_code_are_taken(option):
    assert compiled(VECTOR_ADD, "sm_90", option).ok


def test_a_definition_reaches_the_source():
    text = 'extern "C" __global__ void f(int* x) { static_assert(N == 4, ""); x[0] = N; }'
    assert compiled(text, "sm_90", "-DN=4").ok
    assert not compiled(text, "sm_90", "-DN=5").ok


def test_options_are_joined_with_their_values():
    assert _options.tidy(["-Xptxas -O3 -D", "N=4", "--std", "c++17"]) == [
        "-Xptxas=-O3",
        "-DN=4",
        "--std=c++17",
    ]


# In a sandbox --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["process", "bwrap"])
def test_it_compiles_and_disassembles_in_a_sandbox(name):
    sandbox = registry.get("sandboxes", name)([])
    try:
        if problem := sandbox.missing():
            pytest.skip(problem)
        done = compile_source(SOURCES["two_kernels"], "sm_90", [], SandboxTools(sandbox, Limits()), 60.0)
        assert {kernel.name for kernel in done.kernels} == {"ours::first", "second"}, done.log
        if toolkit.locate("nvdisasm"):
            assert all(kernel.mix for kernel in done.kernels)
        assert [path for path in sandbox.room.iterdir() if path.name.startswith("build-")] == []
    finally:
        sandbox.close()


# What a cubin says of block sizes ------------------------------------------------------------------


def test_bounds_and_exact_sizes_are_read_off_the_cubin():
    text = """
    extern "C" __global__ void __launch_bounds__(256, 2) most(int* x) { x[threadIdx.x] = 1; }
    extern "C" __global__ void unbound(int* x) { x[threadIdx.x] = 1; }"""
    assert _elf.block_threads(compiled(text).binary) == {"most": 256}


@pytest.fixture(scope="module")
def cubin():
    return compiled(SOFTMAX).binary


@given(start=st.binary(max_size=300), data=st.data())
def test_a_cubin_of_any_bytes_is_read_without_complaint(cubin, start, data):
    assert _elf.block_threads(start) == {}
    assert _elf.block_threads(cubin) == {"softmax": 256}
    broken = bytearray(cubin)
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, len(cubin) - 1))] = data.draw(st.integers(0, 255))
    assert all(isinstance(threads, int) for threads in _elf.block_threads(bytes(broken)).values())
    assert _elf.block_threads(cubin[: data.draw(st.integers(0, len(cubin) - 1))]) in ({}, {"softmax": 256})
