"""The look at what was built: a call may be hidden in the text, its import is not; honest imports pass."""

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelopt.languages import _inspect_elf
from kernelopt.languages._artifact import inspect_artifact, is_plain, parts
from kernelopt.languages._inspect_elf import NotElf, read
from kernelopt.languages.cpp import Cpp

HONEST = r"""
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <iostream>
#include <mutex>
#include <pthread.h>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <vector>
static std::vector<float> table(100, 1.0f);
static std::unordered_map<const void*, std::vector<float>> packed;
static void* work(void* y) { *(float*)y = 1; return nullptr; }
extern "C" void kernel(const float* x, float* y, long n) {
    static thread_local std::vector<float> scratch(n);
    std::vector<std::thread> all;
    for (int t = 0; t < 2; ++t) all.emplace_back([=] { y[t] = std::exp(x[t]) + std::tanh(x[t]); });
    for (auto& t : all) t.join();
    y[0] += std::async([] { return 1; }).get() + packed[x].size() + scratch[0];
    pthread_t one;
    pthread_create(&one, nullptr, work, y);
    pthread_join(one, nullptr);
    std::mutex m;
    std::condition_variable c;
    std::unique_lock<std::mutex> hold(m);
    c.notify_all();
    #pragma omp parallel for
    for (long i = 0; i < n; ++i) y[i] += table[i % 100];
    float* space = (float*)aligned_alloc(64, 4096);
    std::memset(space, 0, 4096);
    std::free(space);
    std::mt19937 g(std::random_device{}());
    y[0] += g() + sysconf(_SC_NPROCESSORS_ONLN) + __builtin_cpu_supports("avx2");
    if (const char* t = std::getenv("THREADS")) y[0] += std::atoi(t);
    if (n < 0) { std::cout << n << std::endl; std::fprintf(stderr, "bad\n"); throw std::runtime_error("n"); }
}
"""
NOTED = r"""
#include <chrono>
#include <sys/mman.h>
#include <time.h>
static float table[4];
__attribute__((constructor)) static void fill() { table[0] = 1; }
extern "C" void kernel(float* y) {
    y[0] = std::chrono::steady_clock::now().time_since_epoch().count() + time(nullptr) + table[0];
    mmap(nullptr, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
"""
AT_OPS, SUFFIX = "_ZN2at4_ops", "4callERKNS_6TensorE"
BROKEN = {
    "dlsym": "library",
    "dlopen": "library",
    "cblas_sgemm": "library",
    "sgemm_": "library",
    "mkl_blas_avx512_sgemm": "library",
    "dnnl_sgemm": "library",
    "aoti_torch_cpu_addmm_out": "library",
    "_ZN4dnnl6matmulC1Ev": "library",
    "_ZN2at6native7cpublas4gemmENS0_13TransposeTypeE": "library",
    "_ZN2at3cpu6matmulERKNS_6TensorES3_": "library",
    "_ZN3c1010Dispatcher9singletonEv": "library",
    "_ZN5torch2nn10LinearImpl7forwardERKN2at6TensorE": "library",
    "_ZN5torch3jit4loadERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE": "library",
    "_ZTVN5torch2nn10LinearImplE": "library",
    f"{AT_OPS}6matmul{SUFFIX}S4_": "fallback",
    f"{AT_OPS}11softmax_int{SUFFIX}l": "fallback",
    f"{AT_OPS}10add_Tensor{SUFFIX}S4_": "fallback",
    f"{AT_OPS}9relu_{SUFFIX}": "fallback",
    f"{AT_OPS}12index_reduce{SUFFIX}": "fallback",
    f"{AT_OPS}13index_reduce_{SUFFIX}": "fallback",
    f"{AT_OPS}22index_fill__int_Scalar{SUFFIX}": "fallback",
    f"{AT_OPS}17slice_scatter_out{SUFFIX}": "fallback",
    f"{AT_OPS}18_addmm_activation{SUFFIX}": "fallback",
    "fork": "process",
    "system": "process",
    "execve": "process",
    "_r_debug": "library",
    "_rtld_global": "library",
    "dladdr1": "library",
    "dlinfo": "library",
    "dl_iterate_phdr": "library",
    "_ZN2at20enableRecordFunctionEb": "patching",
    "_ZN2at14clearCallbacksEv": "patching",
    "_ZN2at24set_record_function_tls_ERKNS_17RecordFunctionTLSE": "patching",
    "_ZN3c1020ThreadLocalDebugInfo4_popENS_13DebugInfoKindE": "patching",
    "_ZN5torch8autograd8profiler21disableProfilerLegacyESt8optionalI1AE": "patching",
    "ptrace": "patching",
    "process_vm_readv": "process",
    "prctl": "process",
    "socket": "process",
    "mprotect": "patching",
    "sigaction": "patching",
    "fopen": "files",
    "shm_open": "files",
    "_ZNSt14basic_ifstreamIcSt11char_traitsIcEE4openEPKcSt13_Ios_Openmode": "files",
    "_ZNSt10filesystem6statusERKNS_7__cxx114pathE": "files",
    "PyRun_SimpleString": "library",
}
"""Import to the rule that it breaks."""
GLUE = [
    f"{AT_OPS}10empty_like{SUFFIX}",
    f"{AT_OPS}19empty_memory_formatERKS0_",
    f"{AT_OPS}10select_int{SUFFIX}ll",
    f"{AT_OPS}12fill__Scalar4callERNS_6TensorE",
    f"{AT_OPS}12slice_Tensor{SUFFIX}l",
    f"{AT_OPS}12index_Tensor{SUFFIX}",
    f"{AT_OPS}12squeeze__dim{SUFFIX}",
    f"{AT_OPS}10index_put_{SUFFIX}",
    f"{AT_OPS}15constant_pad_nd{SUFFIX}",
    f"{AT_OPS}18flatten_using_ints{SUFFIX}ll",
    f"{AT_OPS}15to_dtype_layout{SUFFIX}",
    f"{AT_OPS}5copy_4callERNS_6TensorERKS2_b",
    f"{AT_OPS}10unbind_int{SUFFIX}l",
    "_ZN2at15get_num_threadsEv",
    "_ZN2at18TensorIteratorBase8for_eachEN3c1012function_refIFvPPcPKlllEEEl",
    "_ZN2at9functorch21functorchTLSAccessorEv",
    "_ZNK2at10TensorBase8data_ptrIfEEPT_v",
    "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
    "_ZN3c104impl23ExcludeDispatchKeyGuardC1ENS_14DispatchKeySetE",
    "_ZN5torch3jit11parseSchemaERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEb",
    "_ZN5torch7LibraryC1ENS0_4KindENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
    "_ZN5torch8autograd15AutogradContext17save_for_backwardESt6vectorIN2at6TensorESaIS4_EE",
    "_ZTIN5torch8autograd4NodeE",
    "_ZN8pybind116detail11type_casterIN2at6TensorEvE4loadENS_6handleEb",
    "_ZN6caffe28TypeMeta26error_unsupported_typemetaES0_",
    "_ZN2at27getStepCallbacksUnlessEmptyENS_11RecordScopeE",
    "_ZN2at14RecordFunction3endEv",
    "PyEval_SaveThread",
    "PyFrame_GetBack",
    "_Py_Dealloc",
    "Sleef_expf8_u10",
]
"""Imports of honest torch extensions, as nm(1) shows them."""


@cache
def built(folder: Path, source: str, *flags: str) -> Path:
    """A shared object; undefined names are left for the loader, as in torch extensions."""
    path = folder / f"{abs(hash((source, flags)))}.so"
    language = "-xc++" if "#include" in source else "-xc"
    command = ["g++", "-O1", "-fopenmp", "-fPIC", "-shared", language, "-", "-o", str(path), *flags]
    subprocess.run(command, input=source, text=True, check=True, timeout=120)
    return path


def importing(names: Iterator[str]) -> str:
    """A source whose build imports the given mangled names."""
    lines = [f'void f{i}(void) asm("{name}");' for i, name in enumerate(names)]
    calls = "".join(f"f{i}();" for i in range(len(lines)))
    return "\n".join(lines) + f"\nvoid kernel(void) {{ {calls} }}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("built")


def test_what_honest_kernels_import_passes(folder: Path):
    assert inspect_artifact(built(folder, HONEST)) == []
    assert inspect_artifact(built(folder, HONEST, "-s", "-ffast-math")) == []


def test_the_glue_of_torch_extensions_passes(folder: Path):
    assert inspect_artifact(built(folder, importing(iter(GLUE)))) == []


def test_openmp_without_its_library_at_the_linker_passes(folder: Path):
    names = ["GOMP_parallel", "omp_get_num_threads", "__kmpc_fork_call"]
    assert inspect_artifact(built(folder, importing(iter(names)), "-fno-openmp")) == []


@pytest.mark.parametrize(("name", "rule"), BROKEN.items())
def test_imports_that_break_a_rule(folder: Path, name: str, rule: str):
    (finding,) = inspect_artifact(built(folder, importing(iter([name]))))
    assert (finding.rule, finding.suspect, finding.line) == (rule, True, 0)
    assert finding.message.startswith("what was built ")
    assert len(finding.message) < 260


def test_what_is_only_noted(folder: Path):
    findings = inspect_artifact(built(folder, NOTED))
    assert {each.suspect for each in findings} == {False}
    told = " ".join(each.message for each in findings)
    assert all(word in told for word in ("mmap", "std::chrono", "time", "_ZL4fillv"))


def test_a_second_import_of_a_rule_is_told_as_well(folder: Path):
    findings = inspect_artifact(built(folder, importing(iter(["fork", "system", "syscall"]))))
    assert [each.suspect for each in findings] == [True, True, False]


def test_names_put_together_by_the_preprocessor_are_seen(folder: Path):
    source = "#define J(a, b) a##b\nint J(fo, rk)(void);\nint kernel(void) { return J(fo, rk)(); }"
    assert [each.rule for each in inspect_artifact(built(folder, source))] == ["process"]


def test_libraries_can_be_allowed(folder: Path):
    names = [name for name, rule in BROKEN.items() if rule == "library"] + [f"{AT_OPS}6matmul{SUFFIX}S4_"]
    path = built(folder, importing(iter(names)))
    assert len(inspect_artifact(path)) > 3
    assert inspect_artifact(path, allow_libraries=True) == []
    path = built(folder, importing(iter(["fork", f"{AT_OPS}9relu_{SUFFIX}"])))
    assert len(Cpp().inspect_artifact(path, allow_libraries=True)) == 2


def test_other_libraries_are_named(folder: Path):
    path = built(folder, "void kernel(void) {}", "-Wl,--no-as-needed", "-lresolv", "-Wl,-rpath,/here")
    told = [each.message for each in inspect_artifact(path)]
    assert any("loads libresolv.so.2" in message for message in told)
    assert any("DT_RUNPATH /here" in message for message in told)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + b"\xff" * 200, b"text" * 100])
def test_files_that_are_none(tmp_path: Path, content: bytes):
    path = tmp_path / "a.so"
    path.write_bytes(content)
    (finding,) = inspect_artifact(path)
    assert finding.suspect
    assert "cannot be read" in finding.message
    assert inspect_artifact(tmp_path / "missing.so")
    assert inspect_artifact(tmp_path)


def test_a_table_longer_than_anybody_reads_is_refused_as_a_whole(folder: Path, monkeypatch):
    """What stands behind the part that is read may be what counts."""
    content = built(folder, NOTED).read_bytes()
    read(content)
    monkeypatch.setattr(_inspect_elf, "MOST_SYMBOLS", 3)
    with pytest.raises(NotElf, match="more than 3 symbols"):
        read(content).undefined()


@given(st.data())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_never_raise_anything_else(folder: Path, data: st.DataObject):
    content = bytearray(built(folder, NOTED).read_bytes())
    heads = (
        st.integers(0, 1000)
        | st.integers(0, len(content) - 1)
        | st.integers(len(content) - 4000, len(content) - 1)
    )
    for place, value in data.draw(st.lists(st.tuples(heads, st.integers(0, 255)), min_size=1, max_size=30)):
        content[place] = value
    end = data.draw(st.none() | st.integers(0, len(content)))
    try:
        read(bytes(content[:end]))
    except NotElf:
        return


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_any_bytes_behind_a_good_head(content: bytes):
    try:
        read(b"\x7fELF\x02\x01" + content)
    except NotElf:
        return


@given(st.text(alphabet="_ZNKSTVtI0123456789EaX", max_size=40) | st.text(max_size=20))
@settings(deadline=None)
def test_any_name_is_taken_apart(name: str):
    assert isinstance(parts("_Z" + name), list)
    assert isinstance(is_plain(name), bool)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_ZN2at4_ops6matmul4callERKNS_6TensorES4_", ["at", "_ops", "matmul", "call"]),
        ("_ZNK2at10TensorBase8data_ptrIfEEPT_v", ["at", "TensorBase", "data_ptr"]),
        ("_ZNSt13basic_filebufIcSt11char_traitsIcEE5closeEv", ["std", "basic_filebuf", "close"]),
        ("_ZTVN5torch2nn6ModuleE", ["torch", "nn", "Module"]),
        ("_ZNSt6thread6detachEv", ["std", "thread", "detach"]),
        ("_Z6kernelPKfPfl", ["kernel"]),
        ("_ZSt4cout", ["std", "cout"]),
        ("fork", []),
        ("_Znwm", []),
    ],
)
def test_names_are_taken_apart(name: str, expected: list[str]):
    assert parts(name) == expected
