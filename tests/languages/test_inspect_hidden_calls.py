"""Ways to a library's functions that need no import: the loader's lists, handles, names that are made up."""

import pytest
from inspected import answer, beside, extension, rules

from kernelopt.languages._inspect import inspect
from kernelopt.languages._inspect_handles import MOST_ASKED

HANDLE = """
import ctypes
from torch.utils.cpp_extension import load_inline
ext = load_inline("e", '''#include <torch/extension.h>
void sgetrf_(int n);
#define MADE(T) extern "C" void scale_##T(T* x) { x[0] = 1; }
extern "C" void gelu(float* x) { x[0] = 1; }
extern "C" void tile_float(float* x) { x[0] = 1; }
''', functions=["f"])
raw = ctypes.CDLL(ext.__file__)
def handle():
    return ctypes.CDLL(ext.__file__)
"""
WALKS = [
    "struct link_map* all = _r_debug.r_map;",
    "extern void* _rtld_global[]; void* all = _rtld_global;",
    "extern ElfW(Dyn) _DYNAMIC[];",
    "#include <link.h>",
    "#include <elf.h>",
    "int wanted = DT_SYMTAB;",
    "extern void* _GLOBAL_OFFSET_TABLE_[];",
    "static long where = getauxval(AT_PHDR);",
    "static int f(void* p) { Dl_info i; return dladdr(p, &i); }",
]
IMAGES = [
    'extern "C" char known[] __asm__("_ZN2at13globalContextEv");',
    '__asm__(".quad _ZN2at13globalContextEv + 0x2dcb100");',
    'static const char* wanted = "_ZNK3c1010TensorImpl4sizeEv";',
    'static bool head(const char* at) { return !memcmp(at, "\\177ELF", 4); }',
    'static bool head(const char* at) { return !memcmp(at, "\\x7f" "ELF", 4); }',
    "static bool head(const unsigned* at) { return *at == 0x464c457f; }",
    "static char* first(void* object) { return **(char***)object; }",
    "static void* first(void* object) { return *(void * * *) object; }",
]
INTERPRETER = [
    "auto level = PyThreadState_Get()->cframe;",
    "auto level = PyThreadState_GetUnchecked();",
    "auto state = PyGILState_GetThisThreadState();",
    "int n = code->co_nlocalsplus;",
    "#define Py_BUILD_CORE 1",
]
PLAIN = [
    "float*** blocks = (float***)table;",
    "void f(const float* current_frame, float* previous_frame, int frames) {}",
    "struct Frame { float* data; }; void g(Frame* frame) { frame->data[0] = 1; }",
    'static const char* note = "ELF is a format";',
]
ADDRESSES = [
    "auto known = (const char*)(void*)&at::_ops::empty_like::call;",
    "auto way = &at::_ops::empty_like::call;",
    "auto known = reinterpret_cast<char*>(at::get_num_threads) + 5;",
    "auto known = reinterpret_cast<std::uintptr_t>(&at::get_num_threads) + 5;",
    "auto known = (uintptr_t)&torch::empty;",
    "auto known = (char*) at::get_num_threads;",
]
FINE = [
    "int n = (int)at::get_num_threads();",
    "auto n = static_cast<int64_t>(at::kFloat) + (int64_t)at::kLong;",
    "auto n = static_cast<size_t>(at::get_num_threads());",
    "auto p = (float*)at::empty({3}).data_ptr();",
    "auto p = reinterpret_cast<float*>(torch::empty({3}).data_ptr());",
    "bool both(bool a, const at::Tensor& b) { return (a) && at::isComplexType(b.scalar_type()); }",
    "y.index_put_({torch::indexing::Slice(), 0}, x);",
    "static unsigned long has = getauxval(AT_HWCAP);",
]
WATCHED = [
    "at::enableRecordFunction(false);",
    'RECORD_FUNCTION("aten::contiguous", {x});',
    'RECORD_USER_SCOPE_FUNCTION("x", {});',
    "at::RecordFunction guard(at::RecordScope::FUNCTION);",
    "at::RecordFunctionGuard quiet(false);",
    "at::DisableRecordFunctionGuard quiet;",
    "at::clearCallbacks();",
    "c10::ThreadLocalDebugInfo::get(c10::DebugInfoKind::PROFILER_STATE);",
    "torch::autograd::profiler::disableProfilerLegacy();",
]


@pytest.mark.parametrize("code", WALKS)
def test_the_lists_of_the_loader_are_not_walked(code):
    assert rules(beside(code)) == {"library"}


@pytest.mark.parametrize("code", IMAGES)
def test_a_library_is_not_searched_for_in_memory_nor_named_as_the_linker_does(code):
    assert rules(beside(code)) == {"library"}


@pytest.mark.parametrize("code", INTERPRETER)
def test_the_interpreter_s_frames_are_not_stepped_through_by_their_layout(code):
    assert rules(extension(f"void f(at::Tensor x) {{\n{code}\n}}")) == {"frames"}


@pytest.mark.parametrize("code", PLAIN)
def test_frames_of_a_film_and_tables_of_numbers_are_fine(code):
    assert not rules(beside(code))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("way = ctypes.CDLL(lib.__file__)._ZN2at3cpu9hardswishERKNS_6TensorE", "library"),
        ("way = ask(ctypes.CDLL(lib.__file__), '_ZN2at3cpu9hardswishERKNS_6TensorE')", "library"),
        ("count = x.numpy().__array_namespace__().count_nonzero", "library"),
        ("y = operator.methodcaller('hardswish', x)(work)", "hidden"),
    ],
)
def test_nothing_is_asked_for_by_detours_in_python(line, rule):
    source = answer(f"        {line}\n").replace(
        "import torch\n", "import ctypes, operator\nimport torch\n", 1
    )
    assert rule in rules(source)


@pytest.mark.parametrize("code", ADDRESSES)
def test_nothing_is_reckoned_from_an_address_of_the_framework(code):
    assert rules(extension(f"void f(at::Tensor x) {{ {code} }}")) == {"library"}


@pytest.mark.parametrize("code", FINE)
def test_casts_of_values_are_fine(code):
    assert not rules(extension(f"void f(at::Tensor x, at::Tensor y) {{ {code} }}"))


def test_what_adds_up_by_indices_computes():
    assert rules(extension("void f(at::Tensor y) { y.index_put_({i}, x, true); }")) == {"fallback"}


@pytest.mark.parametrize("code", WATCHED)
def test_native_code_leaves_the_profiler_alone(code):
    assert rules(extension(f"void f(at::Tensor x) {{ {code} }}")) == {"patching"}


@pytest.mark.parametrize(
    "line",
    [
        "ways = raw.sgetrf_",
        "ways = raw.dgetrf_",
        "ways = handle().dgetrf_",
        "ways = raw['dgetrf_']",
        "ways = getattr(raw, 'sge' + 'trf_'.lower())",
        "ways = getattr(ctypes.CDLL(ext.__file__), 'dgetrf_')",
        "ways = raw.__getattr__('sge' + 'trf_'.lower())",
        "ways = ctypes.CFUNCTYPE(None)(('dgetrf_', raw))",
        "ways = ctypes.c_void_p.in_dll(raw, 'dgetrf_')",
        "ways = raw._FuncPtr(('dgetrf_', raw))",
        "ways = getattr(raw, f'{ext}_')",
    ],
)
def test_a_handle_is_asked_for_nothing_but_own_functions(line):
    assert "library" in rules(answer(top=HANDLE + line))


def test_more_names_than_can_be_read_are_a_finding():
    line = "\n".join(f"ways = raw.scale_{number}" for number in range(MOST_ASKED + 1))
    assert rules(answer(top=HANDLE + line)) == {"library"}
    assert not rules(answer(top=HANDLE + "ways = raw.gelu\n" * (MOST_ASKED + 1))) - {"never-called"}


@pytest.mark.parametrize(
    "line",
    [
        "raw.gelu.argtypes = [ctypes.c_void_p]",
        "ways = [raw.gelu, raw.f, raw['gelu'], raw.scale_float]",
        "gelu = raw.gelu\ngelu.restype = None",
        "ways = getattr(raw, f'tile_{ext}')",
    ],
)
def test_a_handle_is_asked_for_own_functions(line):
    assert not {each.rule for each in inspect(answer(top=HANDLE + line)) if each.suspect} - {"never-called"}


@pytest.mark.parametrize(
    "line",
    [
        "dot = vars(np)['d' + 'ot'.lower()]",
        "dot = np.__dict__['d' + 'ot'.lower()]",
        "dot = vars(np).get('d' + 'ot'.lower())",
        "space = vars(np)\ndot = space['d' + 'ot'.lower()]",
        "dot = vars(torch)['d' + 'ot'.lower()]",
        "dot = next(v for k, v in vars(np).items() if k == 'd' + 'ot')",
        "dot = next(v for k, v in np.__dict__.items() if k == 'd' + 'ot')",
        "dot = next(getattr(np, k) for k in dir(np))",
        "dot = getattr(np, 'd' + 'ot'.lower())",
    ],
)
def test_names_of_libraries_are_not_made_up(line):
    assert rules(answer(top=f"import numpy as np\n{line}")) == {"hidden"}


@pytest.mark.parametrize(
    "line",
    [
        "kind = getattr(np, str(torch.float32.dtype).split('.')[1])",
        "kind = getattr(torch, 'float' + str(32))",
        "table = {}\nmade = table['a'.lower()]",
        "names = sorted(vars(nn.Module()))",
        "kind = vars(torch)['float32']",
    ],
)
def test_other_names_may_be_made_up(line):
    assert not rules(answer(top=f"import numpy as np\n{line}"))


@pytest.mark.parametrize(
    "line",
    [
        "with torch.profiler.profile() as p:\n    pass",
        "asked = torch.autograd._profiler_enabled()",
        "event = torch._C._profiler._RecordFunctionFast",
        "from torch._C._autograd import _disable_profiler_legacy as off\noff()",
    ],
)
def test_python_leaves_the_profiler_alone(line):
    assert rules(answer(top=line)) == {"patching"}
