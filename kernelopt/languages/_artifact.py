"""A look at what was built: what a shared object imports cannot be hidden by tricks in its text.

Names put together by macros, decoded strings and aliases of namespaces all end as an undefined symbol. What
honest kernels import was measured on builds of both kinds: allocation, views, checks, autograd and the
glue of pybind11 pass, and so does every function of the system's libraries that is not named below.

Findings that do not mark a kernel suspect are notes: an import that honest kernels have, too, now and then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kernelopt.languages import Finding
from kernelopt.languages._inspect_cpp_tables import CALLS
from kernelopt.languages._inspect_elf import NotElf, SharedObject, Symbol, read
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._operators import ALLOCATING, HARMLESS_METHODS, LIBRARY_OPERATORS, words

MOST_BYTES = 256 << 20
"""Larger files are not read."""

_SYSTEM_LIBRARIES = re.compile(
    r"(lib(c|m|mvec|stdc\+\+|gcc_s|gomp|omp|iomp5|pthread|dl|rt|atomic|c\+\+|c\+\+abi|unwind|cudart)"
    r"|libc10\w*|libtorch\w*|ld-linux[\w-]*|linux-vdso)\.so(\.[\d.]+)?"
)
_OWN_CONSTRUCTORS = re.compile(
    r"frame_dummy|set_fast_math|_ZL24__sti____cudaRegisterAllv|_GLOBAL__\w+[\w.]*|__cpu_indicator_init|__do_\w+|init_have_lse_atomics"
)
_UNVERSIONED = re.compile(r"_*Py\w*|Sleef_\w+|_ITM_\w+|__\w+|GOMP_\w+|omp_\w+")
"""Names without a version that are no library's kernels: Python's, vector mathematics, the compiler's.

OpenMP's have none where the linker is not told of its library, which PyTorch has loaded anyway.
"""

_OF_PYTHON, _OF_TORCH = re.compile(r"_*Py[A-Z_]\w*"), re.compile(r"\d(at|c10|torch)\d|^THPVariable")
"""Names of Python's own, which plain C++ has no need of; and what every extension for PyTorch has."""

_NOTES = {
    **dict.fromkeys(("mmap", "mmap64"), ("files", "maps memory, or a file")),
    **dict.fromkeys(("syscall", "waitpid"), CALLS["syscall"]),
    **dict.fromkeys(("PyImport_ImportModule", "PyImport_Import"), CALLS["PyImport_Import"]),
    **dict.fromkeys(
        ("clock_gettime", "gettimeofday", "clock", "time", "times", "omp_get_wtime", "timespec_get", "ftime"),
        ("process", "reads a clock, of which a kernel has no need"),
    ),
    "open": CALLS["open64"],
}
"""Imports that honest kernels may have: huge pages, a barrier of one's own, a time printed for debugging."""

_VENDORS = re.compile(r"(cublas|cudnn|cufft|cusparse|cusolver|cutensor|curand|nccl)(?=[A-Z])")
"""Functions of NVIDIA's libraries that compute; those of the runtime and the driver may be used."""
_OF_VENDORS = re.compile(r"^(blas|solver|sparse|tunable|jit)::|CUDA(Blas|Sparse|Solver)\w*Handle")
"""Of ``at::cuda``."""
_WATCHING = re.compile(
    r"at::(enableRecordFunction|isRecordFunctionEnabled|(Disable)?RecordFunctionGuard|(get|set)_record_function_tls_"
    r"|(clear|add|remove|disable|reenable|has)\w*Callbacks?)|c10::(ThreadLocalDebugInfo|DebugInfoGuard)"
    r"|torch::(autograd::)?profiler(::\w+)?"
)
"""What tells the profiler what runs, and what asks or stops it; what dispatches calls has no need of it."""
_MAKES_STREAM = re.compile(r"^(cuda|cu)StreamCreate|^_ZN3c104cuda17getStreamFromPool")
_WAITS = re.compile(
    r"cu(da)?(StreamWaitEvent|StreamSynchronize|EventSynchronize)(_ptsz)?|cudaDeviceSynchronize|cuCtxSynchronize"
)
_NAMESPACES = ("std", "at", "c10", "torch", "caffe2", "pybind11", "__gnu_cxx", "__cxxabiv1", "gloo")
_TENSOR_GLUE = ("THPVariableClass", "ParameterClass", "THPVariable_Wrap")
"""What `_bindings` takes tensors out of Python objects with, and wraps them in."""
_FRAMEWORK = {
    **dict.fromkeys(("native", "cpu", "cpublas", "meta", "autocast", "redispatch"), "at"),
    **dict.fromkeys(("compositeimplicitautograd", "compositeexplicitautograd"), "at"),
    **dict.fromkeys(("nn", "jit", "optim", "data", "serialize", "inductor", "aot_inductor", "lazy"), "torch"),
    "Dispatcher": "c10",
}
"""Second part of a name to the first under which it computes; views and allocation are all `at::_ops`."""
_DECLARING = words("parseSchema parseSchemaOrName parseName tracer")
_FILE_STREAMS = words("basic_filebuf basic_ifstream basic_ofstream basic_fstream filesystem __basic_file")

_GLUE = words("""
    alias _reshape_alias _unsafe_view _to_copy lift lift_fresh _local_scalar_dense record_stream _pin_memory
    sym_size sym_stride sym_numel sym_storage_offset _version retain_grad data output_nr is_leaf slice
    result_type can_cast promote_types diagonal unsafe_split unsafe_chunk hsplit vsplit dsplit ravel adjoint
    numpy_T matrix_H T H resize_as_ set_data set_ is_nonzero is_pinned requires_grad_ view_copy expand_copy
    set_requires_grad _fw_primal _make_dual _unpack_dual _conj resolve_conj resolve_neg real imag index
    index_put_ _index_put_impl_ squeeze_ unsqueeze_ transpose_ t_ swapaxes_ swapdims_ as_strided_
    unsafe_split_with_sizes empty_quantized atleast_2d constant_pad_nd
""")
PLAIN_OPERATORS = (HARMLESS_METHODS | ALLOCATING | _GLUE) - words(
    "float double half int long short byte bool"
)
"""Operators that only allocate, view, convert or ask."""
_OVERLOAD = re.compile(
    r"_([A-Z]\w*|array|device|dims?|dtype(_layout|_out)?|hacked_twin|indices|int|intlist|list(_\w+)?"
    r"|memory_format|names|other|out|prim_\w+|sections|sizes|source_\w+|start(_out|_step)?"
    r"|tensor_indices_or_sections|using_(ints|names)|float|bool|str|complex)"
)
"""What stands behind a plain operator's name; ``index_reduce`` is no ``index`` of a kind."""


def inspect_artifact(path: Path, *, allow_libraries: bool = False) -> list[Finding]:
    """Findings about a built shared object. Never raises; a file that cannot be read is a finding.

    Args:
        path: The build, at most `MOST_BYTES` long.
        allow_libraries: Calls of libraries, and of operators that are one such call, are fine.
    """
    report = Report()
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise NotElf("the file is too large")
        _Artifact(read(data), report, allow_libraries=allow_libraries, module=b"\0PyInit_" in data).look()
    except (OSError, NotElf) as error:
        report.add("hidden", 0, f"what was built cannot be read ({error})")
    return report.findings()


class _Artifact:
    def __init__(self, built: SharedObject, report: Report, *, allow_libraries: bool, module: bool):
        """`module`: it is one of Python's, which needs Python's functions."""
        self._built, self._report, self._allow, self._module = built, report, allow_libraries, module

    def look(self) -> None:
        extension = self._module or any(_OF_TORCH.search(symbol.name) for symbol in self._built.imports)
        for symbol in self._built.imports:
            self._symbol(symbol)
            if not extension and symbol.name not in CALLS and _OF_PYTHON.fullmatch(symbol.name):
                self._add("library", f"what was built imports {symbol.name}, and so goes back to Python")
        for library in self._built.needed:
            if not _SYSTEM_LIBRARIES.fullmatch(library):
                self._add("library", f"what was built loads {library}")
        for entry in self._built.odd_entries:
            self._add("library", f"what was built steers the loader by {entry}")
        for name in self._built.constructors:
            if name and not _OWN_CONSTRUCTORS.fullmatch(name):
                self._add("patching", f"{name} runs when the build is loaded", suspect=False)

        self._streams({symbol.name for symbol in self._built.imports})

    def _streams(self, names: set[str]) -> None:
        """A stream of a GPU that is made, and that nothing can wait for: PyTorch's guards import both."""
        made = [name for name in names if _MAKES_STREAM.search(name)]
        if made and not any(map(_WAITS.fullmatch, names)):
            self._add("streams", f"what was built imports {min(made)}, and nothing that waits for a stream")

    def _add(self, rule: str, what: str, *, suspect: bool = True) -> None:
        if not (rule == "library" and self._allow):
            self._report.add(rule, 0, what, suspect=suspect)

    def _symbol(self, symbol: Symbol) -> None:
        name = symbol.name
        if name in _NOTES:
            rule, what = _NOTES[name]
            self._add(rule, f"what was built imports {name}, which {what}", suspect=False)
        elif name in CALLS:
            rule, what = CALLS[name]
            self._add(rule, f"what was built imports {name}, which {what}")
        elif name in _TENSOR_GLUE:
            pass
        elif _VENDORS.match(name):
            self._add("library", f"what was built imports {name}, which computes in a vendor's library")
        elif name.startswith("_Z"):
            self._cpp(symbol, parts(name))
        elif not symbol.versioned and not _UNVERSIONED.fullmatch(name):
            self._add(
                "library", f"what was built imports {name}, which is no function of the system's libraries"
            )

    def _cpp(self, symbol: Symbol, name: list[str]) -> None:
        shown = "::".join(name)
        if name[:2] == ["at", "_ops"] and len(name) > 2:
            if not is_plain(name[2]) and not (self._allow and _base(name[2], LIBRARY_OPERATORS)):
                self._add("fallback", f"what was built calls {shown}, a framework operator")
        elif _WATCHING.match("::".join(name)):
            self._add("patching", f"what was built calls {shown}, which is about who watches the kernel")
        elif name[:2] == ["at", "cuda"] and _OF_VENDORS.search("::".join(name[2:])):
            self._add("library", f"what was built calls {shown}, which leads to a vendor's library")
        elif len(name) > 1 and _FRAMEWORK.get(name[1]) == name[0] and _DECLARING.isdisjoint(name):
            if name[0] != "at" or not is_plain(name[-1]):
                self._add("library", f"what was built calls {shown}, which computes in the framework")
        elif name[:1] == ["std"] and not _FILE_STREAMS.isdisjoint(name):
            self._add("files", f"what was built uses std::{name[1]}, which reads or writes files")
        elif name == ["std", "thread", "detach"]:
            self._add("process", f"what was built calls {shown}", suspect=False)
        elif name[:2] == ["std", "chrono"] and name[-1] == "now":
            self._add("process", f"what was built calls {shown}, a clock", suspect=False)
        elif name and not symbol.versioned and name[0] not in (*_NAMESPACES, *_TENSOR_GLUE):
            self._add(
                "library", f"what was built calls {shown}, which is no function of the system's libraries"
            )


def is_plain(operator: str) -> bool:
    """Whether an operator with its overload (``slice_Tensor``) only allocates, views, converts or asks."""
    plain = _base(operator, PLAIN_OPERATORS)
    overload = operator[len(plain) :]
    return bool(plain) and (not overload or _OVERLOAD.fullmatch(overload) is not None)


def _base(operator: str, known: frozenset[str]) -> str:
    """The longest beginning of ``name_Overload`` that is a known name, or an empty string."""
    ends = [index for index, letter in enumerate(operator) if letter == "_" and index] + [len(operator)]
    return next((operator[:end] for end in reversed(ends) if operator[:end] in known), "")


_HEAD = re.compile(r"_Z(?:T[VISTWHC]|GV|GR)?(?P<nested>N[rVK]*[RO]?)?(?P<std>S[tabsiod])?")
_LENGTH = re.compile(r"\d{1,4}")


def parts(mangled: str) -> list[str]:
    """Namespaces, class and function of a name mangled as the Itanium C++ ABI says, arguments left out.

    >>> parts("_ZN2at4_ops6matmul4callERKNS_6TensorES4_")
    ['at', '_ops', 'matmul', 'call']
    """
    head = _HEAD.match(mangled)
    if head is None:
        return []
    found = ["std"] if head["std"] else []
    for identifier in _identifiers(mangled, head.end()):
        found.append(identifier)
        if not head["nested"] and found != ["std"]:
            break
    return found


def _identifiers(mangled: str, start: int) -> Iterator[str]:
    """Source names one after the other, over the template arguments of a class."""
    while True:
        length = _LENGTH.match(mangled, start)
        if length is None:
            if mangled[start : start + 1] != "I":
                return
            start = _behind_arguments(mangled, start)
            continue
        end = length.end() + int(length[0])
        if end > len(mangled) or end == length.end():
            return
        yield mangled[length.end() : end]
        start = end


def _behind_arguments(mangled: str, start: int) -> int:
    """Where a list of plain template arguments (``I...E``) ends; the end of the name when it is not plain."""
    depth, at = 0, start
    while at < len(mangled):
        length = _LENGTH.match(mangled, at)
        if length:
            at = length.end() + int(length[0])
            continue
        depth += (mangled[at] in "INJXL") - (mangled[at] == "E")
        at += 1
        if depth <= 0:
            return at
    return len(mangled)
