"""Flags that a candidate may pass to the compiler, and those that would reach beyond its own code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.languages._flags import refusal, split

FINE = [
    *(
        "-O",
        "-O0",
        "-O3",
        "-Os",
        "-Ofast",
        "-march=native",
        "-mavx2",
        "-mavx512f",
        "-mprefer-vector-width=512",
    ),
    *("-ffast-math", "-fno-math-errno", "-funroll-loops", "-fopenmp", "-fopenmp-simd", "-ffp-contract=fast"),
    *(
        "-fvisibility=hidden",
        "-fPIC",
        "-DN=16",
        "-DNDEBUG",
        "-DSCALE=1.5",
        "-UN",
        "-std=c++20",
        "-std=gnu++17",
    ),
    *("-g", "-g0", "-ggdb3", "-Wall", "-Wno-unused", "-Werror=return-type", "-w", "-pthread", "-shared"),
    *("-lm", "-lmvec", "-lgomp", "-lpthread", "-lstdc++", "-latomic"),
    *("-Wextra", "-Wunused-parameter", "-Wpadded", "-Waddress", "-Wlogical-op"),
]
REFUSED = [
    *(
        "@flags",
        "-fplugin=evil.so",
        "-fplugin-arg-a-b",
        "-fdump-tree-all",
        "-fprofile-generate",
        "-fprofile-use",
    ),
    *(
        "-fprofile-dir=x",
        "-fmodule-mapper=|touch pwned",
        "-flto",
        "-fno-lto",
        "-fsanitize=address",
        "-fuse-ld=gold",
    ),
    *("-Wl,-rpath,/tmp", "-Wa,-a=out", "-Wp,-MD,x", "-Wl", "-wrapper", "-Wrapper", "-Xlinker", "-Xassembler"),
    *(
        "-include",
        "-I/etc",
        "-I.",
        "-L/tmp",
        "-l:evil.so",
        "-levil",
        "-isystem",
        "-imacros",
        "-o",
        "-o/tmp/x",
    ),
    *(
        "-specs=x",
        "-B/tmp",
        "-x",
        "-E",
        "-S",
        "-c",
        "-save-temps",
        "-v",
        "--sysroot=/",
        "kernel.cpp",
        "/etc/passwd",
    ),
    *(
        "-DX=$(id)",
        "-DX='a b'",
        "-D",
        "-DX=a;b",
        "-MD",
        "-MF",
        "-fstack-usage",
        "-fopt-info-vec=/tmp/x",
        "-gsplit-dwarf",
    ),
    *(
        "-T",
        "-Tscript",
        "-fcallgraph-info",
        "-ftest-coverage",
        "-fdebug-prefix-map=a=b",
        "-fpreprocessed",
        "",
        "-",
    ),
    *("-march=native\n-fplugin=x", "-O3 -fplugin=x", "-foo=/etc/passwd", "-fself-test=x", "-fpch-preprocess"),
]


@pytest.mark.parametrize("flag", FINE)
def test_flags_that_only_change_generated_code_pass(flag: str):
    assert refusal([flag], []) is None
    assert refusal([], [flag]) is None


@pytest.mark.parametrize("flag", REFUSED)
def test_flags_that_reach_further_are_refused_in_one_line(flag: str):
    for sentence in (refusal([flag], []), refusal(["-O2"], ["-lm", flag])):
        assert sentence is not None
        assert sentence.startswith("refused: the flag")
        assert "\n" not in sentence


@given(st.text(alphabet="-/@,=|$;`'\"\\ \nWlfDO.ab", max_size=20))
def test_what_passes_names_no_file_and_no_program(flag: str):
    if refusal([flag], []) is None:
        assert not set(flag) & set("/@|$;`'\"\\ \n")
        assert not flag.startswith(("-Wl", "-I", "-L", "-o"))
        assert flag.startswith("-")


def test_too_many_flags_are_refused():
    assert refusal(["-O2"] * 65, [])


def test_flags_are_parted_as_a_shell_would():
    assert split(["-O3 -march=native", "-lm"]) == ["-O3", "-march=native", "-lm"]


def test_a_refusal_names_every_library_that_may_be_asked_for():
    sentence = refusal([], ["-lblas"]) or ""
    named = [word.rstrip(",") for word in sentence.split() if word.startswith("-l")]
    assert len(named) == 6
    assert refusal([], named) is None
