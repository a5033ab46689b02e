"""The look at where the processor was: the kernel's own code may call whom it likes, if it works itself."""

import ctypes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.languages import Ran
from kernelopt.languages._inspect_run import inspect_run
from kernelopt.languages._inspect_where import LEAST_US, at_least, enough, exported

OURS = ("/memfd:kernel.so (deleted)", 4096, 1.0)
TORCH = "/env/lib/python3.12/site-packages/torch/lib/libtorch_cpu.so"
THEIRS = (TORCH, 4096, 1.0)


def named(places, **ran):
    found = inspect_run(Ran(looks=len(places), places=places, **{"call_us": 1000.0, **ran}))
    assert all(one.rule == "library" and one.suspect for one in found)
    return [one.message.partition(" of their time")[0] for one in found]


def test_most_of_the_time_in_pytorch_is_not_in_the_kernel():
    assert named([THEIRS] * 18 + [OURS] * 2) == ["calls were in libtorch_cpu.so for 90%"]


@pytest.mark.parametrize(
    "path",
    [
        TORCH,
        "/env/lib/python3.12/site-packages/numpy/_core/_multiarray_umath.cpython-312-x86_64-linux-gnu.so",
        "/env/lib/python3.12/site-packages/numpy.libs/libscipy_openblas64_-32a4b2a6.so",
        "/usr/lib/x86_64-linux-gnu/libblas.so.3.11.0",
        "/usr/lib/x86_64-linux-gnu/libmkl_avx512.so.2",
        "/usr/lib/x86_64-linux-gnu/libcmany.so",
    ],
)
def test_whose_library_it_is_does_not_count(path):
    assert len(named([(path, 4096, 1.0)] * 20)) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/memfd:kernel.so (deleted)",
        "",
        "[vdso]",
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/lib/x86_64-linux-gnu/libm-2.31.so",
        "/usr/lib/x86_64-linux-gnu/libmvec.so.1",
        "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
        "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30",
        "/usr/lib/libpython3.12.so.1.0",
        "/usr/bin/python3.12",
        "/usr/lib/python3.12/lib-dynload/_ctypes.cpython-312-x86_64-linux-gnu.so",
        "/env/lib/python3.12/site-packages/torch/lib/libc10.so",
        "/env/lib/python3.12/site-packages/torch/lib/libtorch_python.so",
        "/env/lib/python3.12/site-packages/torch/lib/libgomp.so.1",
    ],
)
def test_its_own_code_mathematics_and_the_interpreter_are_fine(path):
    assert named([(path, 4096, 1.0)] * 40) == []


def test_what_passes_in_operators_that_may_be_called_is_not_counted():
    """A copy of a transposed input, say: the dispatcher and the sampler tell of the same time."""
    copies = {"aten::contiguous": 1 << 20}
    mostly = [THEIRS] * 30 + [OURS] * 10
    assert named(mostly, operators=copies, took_us={"aten::contiguous": 700.0}) == []
    assert named(mostly, operators=copies, took_us={"aten::contiguous": 100.0}) != []


def test_operators_account_for_time_in_pytorch_alone():
    numpy = ("/env/numpy/_core/_multiarray_umath.cpython-312-x86_64-linux-gnu.so", 4096, 1.0)
    sizes = {"aten::empty_like": 1 << 20}
    assert named([numpy] * 30 + [OURS] * 10, operators=sizes, took_us={"aten::empty_like": 700.0}) != []


def test_time_inside_of_an_operator_is_not_counted_twice():
    took = {"aten::contiguous": 300.0, "aten::contiguous/aten::clone": 300.0}
    sizes = dict.fromkeys(took, 1 << 20)
    assert named([THEIRS] * 30 + [OURS] * 10, operators=sizes, took_us=took) != []


def test_operators_on_a_few_numbers_account_for_their_time_as_well():
    took = {"aten::add": 45.0, "aten::mul": 45.0, "aten::empty": 20.0}
    few = dict.fromkeys(took, 8)
    assert named([THEIRS] * 16 + [OURS] * 24, call_us=300.0, operators=few, took_us=took) == []
    assert named([THEIRS] * 16 + [OURS] * 24, call_us=300.0) != []


def test_no_operator_takes_longer_than_its_size_explains():
    """A view of eight numbers that takes a millisecond is something else by that name."""
    assert named([THEIRS] * 40, operators={"aten::view": 8}, took_us={"aten::view": 1000.0}) != []


def test_few_looks_and_little_time_tell_nothing():
    assert named([THEIRS] * 20, call_us=LEAST_US / 2) == []
    assert named([THEIRS] * 5 + [OURS] * 15) == []


def test_a_kernel_that_nobody_could_look_at_is_suspect():
    assert "nobody could see" in named([OURS] * 3)[0]
    assert "nobody could see" in named([])[0]


def test_where_nobody_looked_nothing_is_said():
    assert named([], call_us=0.0) == []


def test_threads_that_turn_round_in_its_own_code_do_not_hide_one_that_is_in_a_library():
    """Each look counts in full for each file that some thread was in."""
    assert inspect_run(Ran(looks=20, places=[OURS] * 20 + [THEIRS] * 18, call_us=1000.0)) != []


def test_no_library_is_seen_more_often_than_was_looked():
    other = ("/usr/lib/x86_64-linux-gnu/libblas.so.3", 4096, 1.0)
    assert len(inspect_run(Ran(looks=20, places=[THEIRS, other] * 20, call_us=1000.0))) == 1


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [(0, 7, False), (0, 8, True), (1, 7, True), (7, 1, True), (2, 6, False), (4, 27, False), (16, 16, True)],
)
def test_looks_that_do_not_agree_are_followed_by_others(theirs, ours, told):
    assert enough(Ran(looks=theirs + ours, places=[THEIRS] * theirs + [OURS] * ours)) is told


def test_libraries_are_fine_where_they_are_allowed():
    assert inspect_run(Ran(looks=20, places=[THEIRS] * 20, call_us=1000.0), allow_libraries=True) == []


def test_vectors_of_mathematics_are_known_by_their_names():
    """`at::vec` of PyTorch's headers has exp, tanh and the like in its library."""
    torch = pytest.importorskip("torch")
    library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
    try:
        function = library.Sleef_expf8_u10
    except AttributeError:
        pytest.skip("this PyTorch has no Sleef")
    address = ctypes.cast(function, ctypes.c_void_p).value
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(each, 16) for each in line.split()[0].split("-"))
        if start <= address < end:
            offset = address - start + int(line.split()[2], 16)
    assert "Sleef_expf" in exported("libtorch_cpu.so", offset)
    assert exported("libnone.so", offset) == ""
    path = str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so")
    assert named([(path, offset, 1.0)] * 20) == []


@given(hits=st.integers(0, 200), others=st.integers(0, 200))
def test_the_lower_end_lies_below_what_was_seen(hits, others):
    looks = hits + others
    low = at_least(hits, looks)
    assert 0.0 <= low <= (hits / looks if looks else 0.0) + 1e-12
    assert at_least(hits + 1, looks + 1) >= low
