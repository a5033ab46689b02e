"""What the chip does silently wrong, and what it cannot do, is told with its place."""

import subprocess
from functools import cache

import pytest
from header_programs import HERE, build_folder, compiler, needs_compiler

pytestmark = needs_compiler
FAULTS = {
    "misaligned load": "load_v of 32 bytes needs an address aligned to 32 bytes, this one is 3 bytes",
    "misaligned store": "store_v of 32 bytes needs an address aligned to 32 bytes, this one is 16 bytes",
    "behind": "load_v of 64 bytes at byte offset 256 leaves the buffer in_buffer, which has 256 bytes",
    "over the end": "load_v of 64 bytes at byte offset 224 leaves the buffer in_buffer, which has 256 bytes",
    "far away": "load_v of 64 bytes at byte offset 4096 leaves the buffer in_buffer",
    "before": "store_v of 64 bytes at byte offset -64 leaves the buffer in_buffer, which has 256 bytes",
    "unaligned over the end": "load_unaligned_v of 32 bytes at byte offset 230 leaves the buffer in_buffer",
    "iterator": "load_v of 64 bytes at byte offset 256 leaves the buffer in_buffer",
}


@cache
def program(flag: str) -> str:
    path = build_folder() / f"faults{flag}"
    built = compiler("-O1", flag, str(HERE / "faults.cc"), "-o", str(path))
    assert built.returncode == 0, built.stderr
    return str(path)


def ran(flag: str, case: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program(flag), case], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("flag", ["-DPLAIN", "-DKERNELOPT_AIE_OPAQUE"])
@pytest.mark.parametrize("case", FAULTS)
def test_a_forbidden_access_ends_the_process_with_its_line(case, flag):
    lines = (HERE / "faults.cc").read_text().splitlines()
    place = 1 + next(n for n, line in enumerate(lines) if line.endswith(f"// {case}"))
    result = ran(flag, case)
    assert result.returncode == 86
    assert result.stderr.startswith("aie fault: ") and result.stderr.count("\n") == 1
    assert f"faults.cc:{place}: {FAULTS[case]}" in result.stderr


@pytest.mark.parametrize("flag", ["-DPLAIN", "-DKERNELOPT_AIE_OPAQUE"])
def test_what_is_allowed_is_no_fault(flag):
    result = ran(flag, "fine")
    assert result.returncode in (0, 1) and result.stderr == ""


# Each is one statement in a function of its own, and a part of what the compiler has to say of it.
ILLEGAL = {
    "aie::vector<int8, 8> v; (void)v;": "an 8-bit type: the number of lanes has to be 16, 32, 64 or 128",
    "aie::vector<bfloat16, 4> v; (void)v;": "a 16-bit type: the number of lanes has to be 8, 16, 32 or 64",
    "aie::vector<float, 12> v; (void)v;": "a 32-bit type: the number of lanes has to be 4, 8, 16 or 32",
    "aie::vector<double, 8> v; (void)v;": "the element type has to be one of",
    "aie::accum<acc32, 4> a; (void)a;": "aie::accum<acc32, N>: the number of lanes has to be 8, 16, 32, 64",
    "aie::add(aie::zeros<int8, 32>(), aie::zeros<int8, 64>());": "aie::add: both vectors need the same",
    "aie::max(aie::zeros<int8, 32>(), 0);": "aie::max: both vectors need the same element type",
    "aie::mul(aie::zeros<bfloat16, 16>(), 0.5f);": "aie::mul: no product of these types",
    "auto z = aie::zeros<int32, 16>(); aie::mul<acc32>(z, z);": "32-bit integer factor go into acc64",
    "auto z = aie::zeros<int8, 16>(); aie::mac(aie::zeros<accfloat, 16>(), z, z);": "go into accfloat",
    "aie::mmul<4, 4, 4, int8, int8> m; (void)m;": "aie::mmul of 8 x 8 bits: the shape M x K x N has to be",
    "aie::mmul<4, 4, 4, bfloat16> m; (void)m;": "of bfloat16: the shape M x K x N has to be one of 4x8x4",
    "aie::zeros<accfloat, 16>().to_vector<int8>();": "accfloat gives bfloat16 or float",
    "int16_t *p = nullptr; aie::store_v(p, aie::zeros<int8, 32>());": "one to the vector's element type",
    "aie::tanh(aie::zeros<float, 16>());": "aie::tanh is only available on AIE2P",
    "aie::exp2(aie::zeros<float, 16>());": "aie::exp2 is only available on AIE2P",
    "aie::sin(aie::zeros<float, 16>());": "aie::sin is not available on this machine",
    "auto z = aie::zeros<float, 16>(); aie::div(z, z);": "aie::div: does not exist on this machine",
    "auto z = aie::zeros<bfloat16, 16>(); aie::bit_and(z, z);": "aie::bit_and: not for vectors of this",
}


@cache
def complaints(*flags: str) -> str:
    body = "\n".join(f"void f{n}() {{ {statement} }}" for n, statement in enumerate(ILLEGAL))
    built = compiler("-fsyntax-only", *flags, "-x", "c++", "-", text=f"#include <aie_api/aie.hpp>\n{body}\n")
    assert built.returncode != 0
    return built.stderr


@pytest.mark.parametrize("statement", ILLEGAL)
def test_what_the_machine_lacks_is_an_error_that_names_what_it_has(statement):
    assert ILLEGAL[statement] in complaints()
    number = list(ILLEGAL).index(statement)
    assert f"f{number}()" in complaints() or f"<stdin>:{number + 2}:" in complaints()


def test_the_second_generation_has_tanh_and_exp2_and_fewer_matrix_shapes():
    text = """
    #include <aie_api/aie.hpp>
    using lanes = aie::vector<bfloat16, 16>;
    lanes f(aie::vector<float, 16> x) { return aie::add(aie::tanh(x), aie::exp2<bfloat16>(x)); }
    aie::mmul<4, 16, 8, int8, int8> fine;
    aie::mmul<4, 16, 16, int8, int8> missing;
    """
    built = compiler("-fsyntax-only", "-DKERNELOPT_AIE_ARCH=21", "-x", "c++", "-", text=text)
    errors = [line for line in built.stderr.splitlines() if " error: " in line]
    assert len(errors) == 1 and "has to be one of 2x8x8, 4x8x8, 8x8x8, 4x16x8, 8x16x8" in errors[0]


def test_operations_stand_as_calls_in_the_optimised_code_and_loads_leave_loops_over_restrict_stores():
    text = """
    #include <aie_api/aie.hpp>
    void kernel(bfloat16 *__restrict in, bfloat16 *__restrict out, bfloat16 *__restrict w) {
        aie::accum<accfloat, 16> acc = aie::zeros<accfloat, 16>();
        for (int i = 0; i < 16; ++i) {
            auto x = aie::load_v<16>(in + 16 * i), k = aie::load_v<16>(w);
            acc = aie::mac(acc, x, k);
            aie::store_v(out + 16 * i, aie::max(x, k));
        }
        aie::store_v(out, acc.to_vector<bfloat16>());
    }
    """
    flags = ("-O2", "-DKERNELOPT_AIE_OPAQUE", "-fno-tree-vectorize", "-fno-tree-loop-distribute-patterns")
    built = compiler(
        *flags, "-S", "-o", "/dev/null", "-fdump-tree-optimized=/dev/stdout", "-x", "c++", "-", text=text
    )
    code = built.stdout.split("void kernel (")[1]
    loop = code[code.index("PHI <") : code.index("goto <bb")]
    assert "aieop::mac<accfloat, bfloat16, bfloat16, 16> (acc" in loop
    assert "aieop::max<bfloat16, 16> (" in loop
    assert loop.count("aieop::at_load<bfloat16, 16>") == 1  # the load of w went before the loop
    assert loop.count("MEM[(const memory") == 1 and loop.count("MEM[(memory") == 1
    assert "aieop::to_vector<bfloat16, accfloat, 16>" not in loop
