"""Names that no kernel needs, by rule. A name stands for itself and for all below it."""

from __future__ import annotations

import re


def _names(text: str) -> frozenset[str]:
    """``os: fork system`` a line means ``os.fork`` and ``os.system``; a line without colon means itself."""
    found: list[str] = []
    for line in text.strip().splitlines():
        space, colon, names = line.strip().partition(":")
        found += [f"{space}.{name}" for name in names.split()] if colon else line.split()
    return frozenset(found)


USES = {
    "frames": _names("""
        sys: _getframe _getframemodulename _current_frames _current_exceptions modules
        inspect: stack currentframe trace getouterframes getinnerframes getframeinfo
        gc: get_objects get_referrers get_referents
        traceback: walk_stack walk_tb extract_stack
        __main__
    """),
    "patching": _names("""
        sys: settrace setprofile addaudithook monitoring meta_path path_hooks path_importer_cache
        sys: call_tracing setswitchinterval
        threading: settrace setprofile settrace_all_threads setprofile_all_threads
        signal: signal alarm setitimer raise_signal pthread_kill set_wakeup_fd sigwait
        torch: overrides.TorchFunctionMode utils._python_dispatch
        torch._C: _push_on_torch_function_stack _push_on_torch_dispatch_stack _set_torch_dispatch_mode
        torch: _C._profiler autograd._profiler_enabled autograd.profiler autograd.profiler_legacy profiler
        torch._C._autograd: _profiler_enabled _profiler_type _enable_profiler _disable_profiler
        torch._C._autograd: _enable_profiler_legacy _disable_profiler_legacy _prepare_profiler
        torch._C._autograd: _kineto_step
        torch.Tensor: _make_subclass _make_wrapper_subclass as_subclass
        torch.nn.modules.module: register_module_forward_hook register_module_forward_pre_hook
        torch.nn.modules.module: register_module_module_registration_hook
        ctypes: pythonapi py_object
        atexit unittest.mock
    """),
    "process": _names("""
        os: fork forkpty system popen execl execle execlp execlpe execv execve execvp execvpe spawnl spawnle
        os: spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp kill killpg _exit abort
        os: register_at_fork setsid setpgid nice setpriority dup dup2 pipe pipe2 putenv unsetenv pidfd_open
        concurrent.futures: ProcessPoolExecutor
        concurrent.futures.process
        threading: Timer
        _thread: start_new_thread start_joinable_thread
        os: getpriority sched_getscheduler sched_getparam sched_setscheduler sched_setparam
        resource: setrlimit prlimit
        subprocess multiprocessing torch.multiprocessing socket socketserver http urllib requests httpx
        aiohttp ssl ftplib smtplib xmlrpc asyncio pty psutil fcntl ray joblib torch.distributed
    """),
    "files": _names("""
        builtins: open
        io: open FileIO open_code
        os: open read write pread pwrite readv writev fdopen sendfile listdir scandir walk remove unlink
        os: rename replace link symlink truncate ftruncate mkfifo memfd_create readlink
        numpy: load save savez savez_compressed fromfile memmap loadtxt savetxt genfromtxt DataSource
        torch: load save from_file UntypedStorage.from_file serialization hub package
        torch.jit: load save
        tempfile: TemporaryFile NamedTemporaryFile SpooledTemporaryFile mkstemp mktemp
        pickle: load dump
        pkgutil: get_data
        shutil glob mmap shelve dbm sqlite3 linecache fileinput zipfile tarfile gzip bz2 lzma h5py safetensors
        importlib.resources
    """),
    "reference": _names("""
        inspect: getsource getsourcelines getsourcefile findsource getmodule
        kernelopt.evaluator kernelopt.suites kernelopt.task kernelopt.sandboxes kernelopt.store
        kernelopt.executors kernelopt.resources kernelopt.registry kernelopt.testing kernelopt.__file__
        reference ref_model reference_model baseline kernelbench KernelBench evaluator judge oracle
        routing worker
    """),
    "hidden": _names("""
        builtins: exec eval compile
        importlib: util.spec_from_file_location util.module_from_spec util.spec_from_loader machinery reload
        types: CodeType FunctionType
        pickle: loads Unpickler
        pkgutil: resolve_name
        string: Formatter
        typing: get_type_hints ForwardRef
        torch.jit: CompilationUnit
        torch.fx
        marshal runpy code codeop zipimport imp pydoc timeit doctest cProfile profile pdb dill cloudpickle
    """),
    "library": _names("""
        ctypes.util: find_library
        ctypes: _dlopen
        _ctypes: dlopen dlsym
        numpy.ctypeslib
        torch: _C._nn _C._VariableFunctions _C._linalg _C._fft
        torch: _refs _prims _decomp _inductor
        cffi cupy.cublas cupy.cudnn cuda.bindings onnxruntime openvino tvm mkl oneapi
    """),
}
"""Rule to names under which it is broken, wherever they stand in code that can run."""

FINE = _names("""
    multiprocessing: cpu_count
    torch.multiprocessing: cpu_count
    psutil: cpu_count cpu_freq virtual_memory
    shutil: which get_terminal_size
    concurrent.futures: ThreadPoolExecutor wait
    torch.distributed: is_available is_initialized
    importlib.machinery: EXTENSION_SUFFIXES
""")
"""What is harmless below such names."""

WHAT = {
    "frames": "looks at the program around the kernel",
    "patching": "changes the program around the kernel",
    "process": "acts on processes, or runs after the call",
    "files": "reads or writes files",
    "reference": "reaches for the task's own solution",
    "hidden": "runs code that does not stand here",
    "library": "reaches for somebody else's kernels",
}
"""Rule to what its names do, for messages."""

ATTRIBUTES = {
    **dict.fromkeys(("f_back", "f_locals", "f_globals", "f_builtins", "tb_frame", "gi_frame"), "frames"),
    **dict.fromkeys(("cr_frame", "ag_frame", "__subclasses__", "__globals__", "__closure__"), "frames"),
    **dict.fromkeys(("__code__", "__kwdefaults__", "co_consts", "co_code"), "patching"),
    **dict.fromkeys(("read_text", "read_bytes", "write_text", "write_bytes", "tofile"), "files"),
    **dict.fromkeys(
        ("__array_namespace__", "__array_function__", "__array_ufunc__", "__array_wrap__"), "library"
    ),
    **dict.fromkeys(("_make_subclass", "_make_wrapper_subclass", "as_subclass"), "patching"),
}
"""Attributes that break a rule on whatever object they are asked of."""

LIBRARY_FUNCTION = re.compile(r"(cblas|LAPACKE|mkl|MKL|dnnl|openblas|xnn)_\w+|[sd]ge(mm|mv)_?")
"""Functions of libraries, as attributes of a library that was loaded."""

MANGLED = re.compile(r"_ZNK?[\w]{0,4}(2at|3c10|5torch|6caffe2)")
"""Beginning of a name of the framework's as the linker has it; a compiler makes those, and nobody else."""

PLACES = ("/proc/", "/sys/", "/etc/", "/dev/")
"""Beginnings of paths to what the system tells about itself and others."""

TASK_FILES = ("init.pt", "state.pt", "moved.pt", "reference.py")
TASK_FUNCTIONS = ("get_inputs", "get_init_inputs")
"""Files and functions that belong to the task, not to an answer."""

NAMESPACES = ("aten", "prim", "prims", "c10d", "quantized", "mkldnn")
"""Operator libraries of PyTorch, which `torch.library` can override."""
