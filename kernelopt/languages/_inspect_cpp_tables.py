"""What C++ text is searched for, by rule. Plain words tell first whether a pattern is worth a look."""

from __future__ import annotations

import re
from typing import NamedTuple

from kernelopt.languages._inspect_tables import MANGLED

_CALLS = {
    "library": (
        "reaches code that is not the kernel's",
        "dlopen dlmopen dlsym dlvsym dl_iterate_phdr __libc_dlopen_mode __libc_dlsym PyImport_ImportModule "
        "dladdr dladdr1 dlinfo _dl_find_object _dl_sym _dl_addr _dl_signal_error _dl_find_dso_for_object "
        "_r_debug _rtld_global _rtld_global_ro __r_debug _dl_debug_state _DYNAMIC "
        "PyImport_Import PyRun_SimpleString PyRun_String PyEval_EvalCode",
    ),
    "frames": ("looks at who called the kernel", "backtrace PyEval_GetFrame PyThreadState_GetFrame"),
    "patching": (
        "changes the program around the kernel",
        "mprotect pkey_mprotect sigaction signal bsd_signal setitimer timer_create timer_settime ualarm "
        "PyEval_SetTrace PyEval_SetProfile ptrace process_vm_writev userfaultfd personality",
    ),
    "process": (
        "acts on processes, or goes on after the call",
        "fork vfork clone3 execl execle execlp execv execve execvp execvpe system popen posix_spawn "
        "posix_spawnp syscall prctl seccomp process_vm_readv socket kill tgkill pthread_kill waitpid wait4 "
        "daemon setpriority getpriority sched_getattr sched_getscheduler sched_getparam socketpair recv "
        "recvmsg recvfrom _exit quick_exit",
    ),
    "streams": (
        "puts work off to a thread of the driver",
        "cudaLaunchHostFunc cudaStreamAddCallback cuLaunchHostFunc cuStreamAddCallback",
    ),
    "reference": (
        "reaches for the memory of another process",
        "cudaIpcOpenMemHandle cudaIpcGetMemHandle cuIpcOpenMemHandle cuIpcOpenMemHandle_v2 cuIpcGetMemHandle",
    ),
    "files": (
        "reads or writes files",
        "fopen fdopen freopen fopen64 open64 openat creat opendir readdir shm_open memfd_create tmpfile "
        "mkstemp unlink rename readlink pread pwrite",
    ),
}
CALLS = {name: (rule, what) for rule, (what, names) in _CALLS.items() for name in names.split()}
"""Functions of C: rule, and what they do."""


class Pattern(NamedTuple):
    """Something that breaks a rule wherever it stands."""

    rule: str
    hints: tuple[str, ...]
    """One of these is in every match."""
    pattern: re.Pattern[str]
    what: str


def _pattern(rule: str, hints: str, pattern: str, what: str) -> Pattern:
    return Pattern(rule, tuple(hints.split()), re.compile(pattern), what)


_LIBRARY = "calls a library that computes"
_MANGLED = "names the framework's code as the linker does"
_IMAGE = "is the head of a library in memory, from where its tables are found"
_POINTED = r"(?:char|void|float|double|std::byte|std::(u?intptr|size|uint8)_t|u?int(8|16|32|64)_t|long|int)"
_CAST = r"\b(?:static|reinterpret|const|bit)"
_TO_POINTER = (
    rf"(\(\s*(const\s+)?(unsigned\s+)?{_POINTED}(\s+const)?\s*\*+\s*\)"
    rf"|{_CAST}_cast\s*<\s*(const\s+)?(unsigned\s+)?{_POINTED}(\s+const)?\s*\*+\s*>\s*\()"
)
_TO_NUMBER = (
    r"(\(\s*(std::)?(u?intptr_t|size_t|u?int64_t|(unsigned\s+)?long(\s+long)?)\s*\)"
    rf"|{_CAST}_cast\s*<\s*(std::)?(u?intptr_t|size_t|u?int64_t|(unsigned\s+)?long(\s+long)?)\s*>\s*\()"
)
"""Casts of an address, which end behind the bracket."""
CODE = (
    _pattern("library", "_ZN", MANGLED.pattern, _MANGLED),
    _pattern("library", "0x464", r"0x464[cC]457[fF]", _IMAGE),
    _pattern(
        "library",
        "cblas_ LAPACKE_ mkl_ MKL_ dnnl_ openblas_ xnn_ aoti_torch_",
        r"\b(cblas|LAPACKE|mkl|MKL|dnnl|openblas|xnn|aoti_torch)_\w+\s*\(",
        _LIBRARY,
    ),
    _pattern(
        "library",
        "cublas cudnn cusparse cufft cusolver cutensor curand",
        r"\bcu(blas|dnn|sparse|fft|solver|tensor|rand)[A-Z]\w*\s*\(",
        _LIBRARY,
    ),
    _pattern(
        "library",
        "at::cuda",
        r"\bat::cuda::((blas|solver|sparse)::\w+|getCurrentCUDA(Blas|Sparse|Solver)\w*)",
        _LIBRARY,
    ),
    _pattern(
        "library",
        "Eigen:: dnnl:: oneapi:: ideep:: fbgemm:: arma:: blaze::",
        r"\b(Eigen|dnnl|oneapi|ideep|fbgemm|arma|blaze)::",
        _LIBRARY,
    ),
    _pattern(
        "library",
        "at::native at::cpu",
        r"\bat::(native|cpu)::(?!vec|cpu_(serial_)?kernel)\w*(gemm|mm|conv|linear|softmax|norm|kernel|stub)\w*",
        _LIBRARY,
    ),
    _pattern(
        "library",
        "c10::Dispatcher torch::jit:: torch::nn::",
        r"\b(c10::Dispatcher|torch::jit::(load|compile)|torch::nn::(?!functional)\w+)",
        "lets the framework compute",
    ),
    _pattern(
        "library",
        "py:: pybind11::",
        r"\b(pybind11|py)::(module_?::import|exec|eval|eval_file)\b",
        "goes back to Python",
    ),
    _pattern(
        "library",
        "attr",
        r"\.\s*attr\s*\([^()]*\)\s*\(",
        "goes back to Python",
    ),
    _pattern(
        "library",
        "Py",
        r"\bPy(Object_(Vector|Fast)?[Cc]all\w*|Import_\w+|Eval_\w+|Run_\w+|Object_GetAttr\w*)\s*\(",
        "goes back to Python",
    ),
    _pattern(
        "patching",
        "TORCH_LIBRARY_",
        r"\bTORCH_LIBRARY_(IMPL|FRAGMENT)\s*\(\s*(aten|prim|prims|c10d|_)\b",
        "overrides PyTorch's own operators",
    ),
    _pattern(
        "library",
        "r_debug rtld_global _DYNAMIC link_map DT_ ElfW Elf64_ Elf32_ GLOBAL_OFFSET AT_ __ehdr_start",
        r"\b(_r_debug|_rtld_global\w*|_DYNAMIC|link_map|r_debug|DT_(SYMTAB|STRTAB|GNU_HASH|HASH|DEBUG|JMPREL|PLTGOT)"
        r"|ElfW|Elf(64|32)_\w+|_GLOBAL_OFFSET_TABLE_|AT_(PHDR|BASE|ENTRY)|PT_DYNAMIC|__ehdr_start)\b",
        "walks the loader's lists, which lead to code that is not the kernel's",
    ),
    _pattern(
        "library",
        "_ops::",
        r"&\s*(::)?(at|torch|c10)::_ops::[\w:]+",
        "is the address of the framework's code",
    ),
    _pattern(
        "library",
        "at:: torch:: c10::",
        rf"({_TO_POINTER}|{_TO_NUMBER}[\s(]{{0,20}}&)[\s(&]{{0,20}}(::)?(at|torch|c10)::[\w:]{{1,200}}(?![\w:<(\s])",
        "makes a number of the address of the framework's code",
    ),
    _pattern(
        "library",
        "void char intptr size_t int64",
        r"\*\s*\(\s*(const\s+)?(void|char|(std::)?(u?intptr|size|uint64|int64)_t)\s*\*\s*\*\s*\*+\s*\)",
        "reads a table of virtual functions, which leads to code that is not the kernel's",
    ),
    _pattern(
        "frames",
        "__builtin_",
        r"\b__builtin_(return|frame)_address\s*\(",
        "looks at who called the kernel",
    ),
    _pattern(
        "frames",
        "frame PyThreadState PyInterpreterState PyGILState_Get co_ PyFrame Py_BUILD_CORE",
        r"(->|\.)\s*(cframe|current_frame|localsplus|co_(localsplus|nlocals|varnames|framesize)\w*)\b"
        r"|\b(Py_BUILD_CORE\w*|_PyInterpreterFrame|PyFrame_\w+|_?PyThreadState_\w+|_?PyInterpreterState_\w+"
        r"|PyGILState_GetThisThreadState)\b",
        "looks at who called the kernel",
    ),
    _pattern(
        "patching",
        "RecordFunction RECORD_ record_function_tls ThreadLocalDebugInfo DebugInfoGuard profilerEnabled "
        "ProfilerEnabled ableProfiler at::clear",
        r"\b(RECORD_\w*FUNCTION\w*|(?:at::)?RecordFunction|enableRecordFunction|isRecordFunctionEnabled|(Disable)?RecordFunctionGuard|(get|set)_record_function_tls_"
        r"|ThreadLocalDebugInfo|DebugInfoGuard|isProfilerEnabled\w*|profilerEnabled|(en|dis)ableProfiler\w*"
        r"|at::clear(Global|ThreadLocal)?Callbacks)\b",
        "is about who watches the kernel",
    ),
    _pattern(
        "fallback",
        "index_put",
        r"\.\s*(index_put_?|_index_put_impl_)\s*\([^;]{0,300},\s*(/\*[^*]{0,80}\*/\s*)?true\s*[,)]",
        "adds up in the framework",
    ),
    _pattern("process", "CLONE_", r"\bCLONE_(VM|FILES|FS|THREAD|PARENT)\b", "starts a process"),
    _pattern(
        "files",
        "fstream filesystem",
        r"\bstd::(basic_)?[io]?f(ile)?stream\b|\bstd::filesystem\b|(?<![\w:])[io]fstream\b",
        "reads or writes files",
    ),
    _pattern(
        "memory",
        "__device__",
        r"\b__device__\s+(?:(?:static|volatile|const|unsigned|struct)\s+)*\w+(?:\s+const)?\s*\*\s*"
        r"(?:volatile\s+|const\s+)?\w+\s*(?:\[[^\]]*\]\s*)?[;=]",
        "keeps a pointer in the GPU's memory beyond the call",
    ),
    _pattern(
        "streams",
        "clock64 globaltimer",
        r"\bclock64\s*\(\s*\)|\bglobaltimer\b",
        "reads the GPU's clock: a kernel that goes by time runs on for its own ends",
    ),
    _pattern(
        "streams",
        "setCurrentCUDAStream cudaStreamPerThread",
        r"\bsetCurrentCUDAStream\s*\(|\bcudaStreamPerThread\b",
        "is another stream than the caller's current one",
    ),
    _pattern("randomness", "manual_seed", r"\b(at|torch)::manual_seed\s*\(", "sets the random generator"),
)
"""Patterns for code without comments and strings."""

TEXT = (
    _pattern("library", "ELF", r"\\(177|x7[fF])\W{0,6}ELF", _IMAGE),
    _pattern(
        "library",
        "link.h elf.h",
        r"#\s*include\s*[<\"](link|elf)\.h",
        "is about the loader's lists, which lead to code that is not the kernel's",
    ),
    _pattern(
        "library",
        "#",
        r"#\s*include\s*[<\"](mkl|cblas|lapacke|Eigen/|oneapi/|dnnl|onednn|cublas|cudnn|libxsmm)",
        _LIBRARY,
    ),
    _pattern(
        "files",
        "embed __has_include include",
        r"#\s*embed\b|__has_include\s*\(\s*[<\"](/|\.\.)|#\s*include\s*[<\"](/|\.\.)",
        "makes the compiler look for files",
    ),
)
"""Patterns for text as it stands."""

STRINGS = (
    _pattern("library", "_ZN", MANGLED.pattern, f"a string {_MANGLED}"),
    _pattern(
        "process",
        "syscall sysenter 0x80 svc",
        r"\b(syscall|sysenter|int\s+\$?0x80|svc\s+#?0)\b",
        "a string holds an instruction that enters the system",
    ),
    _pattern("files", "incbin", r"\.\s*incbin\b", "a string holds an assembler directive that reads files"),
    _pattern(
        "process",
        "/proc/ /sys/ /dev/ /etc/ LD_PRELOAD",
        r"/proc/|/sys/|/dev/(shm|mem|fd)|/etc/|LD_PRELOAD",
        "a string names a file or switch of the system",
    ),
)
"""Patterns for what stands in string literals."""
