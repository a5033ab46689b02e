"""The static look at kernels in aie: what reaches for the host is suspect."""

import pytest

from kernelopt.npu.look import SYMBOLS, inspect_object, inspect_text


def rules(text):
    return [(finding.rule, finding.suspect) for finding in inspect_text(text)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('void k() { asm volatile("nop"); }', "assembler"),
        ("void k() { event0(); }", "clock"),
        ("#define event1() event0()", "macro"),
        ("#define int long", "macro"),
        ("#undef event0", "macro"),
        ("#define JOIN(a, b) a##b", "macro"),
        ("%:define int long", "macro"),
        ("void k() { \\u0065vent0(); }", "macro"),
        ('extern "C" int system(const char *); void k() { system("id"); }', "process"),
        ('extern "C" int sys\\\ntem(const char *);', "process"),
        ("void k() { _Exit(0); }", "process"),
        ('void k() { write(1, "x", 1); }', "files"),
        ("extern char **environ;", "files"),
        ("#include <immintrin.h>", "header"),
        ("#include <sys/mman.h>", "header"),
        ('#include "/etc/passwd"', "header"),
        ("void k() { _mm256_setzero_ps(); }", "host"),
        ("void k() { __builtin_ia32_pause(); }", "host"),
        ("void k() { __gcov_reset(); }", "machinery"),
        ("void k() { aieop::zeros<int, 8>(); }", "machinery"),
        ("__attribute__((constructor)) void k() {}", "attribute"),
        ("[[gnu::const]] int k();", "attribute"),
        ("typedef int v8 __attribute__((vector_size(32)));", "attribute"),
        ("void k() { __builtin_return_address(0); }", "frames"),
    ],
)
def test_a_kernel_that_reaches_for_the_host_is_suspect(text, rule):
    assert (rule, True) in rules(text)


@pytest.mark.parametrize("text", ["#include <iostream>", "#pragma omp parallel for\n"])
def test_what_the_chip_does_not_have_does_not_build(text):
    assert [suspect for _, suspect in rules(text)] == [False]


@pytest.mark.parametrize(
    "text",
    [
        '// event0(); asm\n/* system("x") */ const char *s = "asm event0";',
        '#include <aie_api/aie.hpp>\n#include "aie_kernel_utils.h"\n#include <math.h>\n',
        "alignas(32) static const int8_t table[4] = {1, 2, 3, 4}; int y = table[table[0]];",
        "__attribute__((aligned(32))) int x; [[maybe_unused]] int y;",
        "#pragma clang loop unroll(full)\nfor (;;) {}",
        "#define LANES 32\nint x = LANES;",
        "void k() { AIE_PREPARE_FOR_PIPELINING AIE_LOOP_MIN_ITERATION_COUNT(8) for (;;) {} }",
    ],
)
def test_what_honest_kernels_do_is_not_found(text):
    assert rules(text) == []


def test_findings_tell_the_line():
    (found,) = inspect_text("int a;\n\nvoid k() { event0(); }\n")
    assert found.line == 3 and "line 3" in found.message


def test_an_object_may_need_mathematics_and_nothing_of_the_system():
    assert all(
        SYMBOLS.fullmatch(name) for name in ("expf", "tanhf", "memcpy", "sqrt", "kernelopt_npu_buffer")
    )
    assert not any(
        SYMBOLS.fullmatch(name) for name in ("system", "open", "dlsym", "pthread_create", "_ZSt4cout")
    )


def test_a_damaged_object_is_suspect_and_no_exception():
    assert [finding.rule for finding in inspect_object(b"\x7fELF\x02\x01 not really")] == ["object"]
