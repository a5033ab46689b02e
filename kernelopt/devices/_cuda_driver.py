"""NVIDIA's driver through ctypes: what a judge needs of it, in a context of its own.

Names and meanings are those of the CUDA Driver API reference. Functions are taken by their versioned names
(``_v2``), which is what cuda.h has made of the plain ones since CUDA 3.2 and libcuda.so.1 still exports.
Not run on a GPU yet: tests use a stand-in for the library (docs/cuda.md).
"""

from __future__ import annotations

import ctypes
import functools
import itertools
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_ubyte, c_uint, c_uint64, c_void_p
from typing import Any

from kernelopt.errors import EvaluatorFault, MissingTool

LIBRARY = "libcuda.so.1"
HANDLE_BYTES = 64  # CU_IPC_HANDLE_SIZE
SCHED_SPIN = 1  # CU_CTX_SCHED_SPIN: the thread polls, so that waits end soon and show in its processor time
LAZY_PEER_ACCESS = 1  # CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS
MULTIPROCESSORS, COMPUTE_MODE, L2_CACHE_BYTES, MAJOR, MINOR = 16, 20, 38, 75, 76  # CUdevice_attribute
UNIT = 2 << 20
"""Smaller allocations may share a block, and a handle shows the whole block to whoever opens it (CUDA
Programming Guide, "Interprocess Communication"): so none here is smaller, or has another's rest beside it."""
SHARED_MODE = 0  # CU_COMPUTEMODE_DEFAULT: several processes may use the GPU


class Handle(ctypes.Structure):
    """``CUipcMemHandle``, which is passed by value."""

    _fields_ = (("reserved", c_ubyte * HANDLE_BYTES),)


class Uuid(ctypes.Structure):
    """``CUuuid``."""

    _fields_ = (("bytes", c_ubyte * 16),)


_PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "cuInit": (c_uint,),
    "cuGetErrorName": (c_int, POINTER(c_char_p)),
    "cuDeviceGetCount": (POINTER(c_int),),
    "cuDeviceGet": (POINTER(c_int), c_int),
    "cuDeviceGetUuid_v2": (POINTER(Uuid), c_int),
    "cuDeviceTotalMem_v2": (POINTER(c_size_t), c_int),
    "cuDeviceGetAttribute": (POINTER(c_int), c_int, c_int),
    "cuCtxCreate_v2": (POINTER(c_void_p), c_uint, c_int),
    "cuCtxDestroy_v2": (c_void_p,),
    "cuCtxSetCurrent": (c_void_p,),
    "cuCtxSynchronize": (),
    "cuMemGetInfo_v2": (POINTER(c_size_t), POINTER(c_size_t)),
    "cuMemAlloc_v2": (POINTER(c_uint64), c_size_t),
    "cuMemFree_v2": (c_uint64,),
    "cuMemGetAddressRange_v2": (POINTER(c_uint64), POINTER(c_size_t), c_uint64),
    "cuMemHostRegister_v2": (c_void_p, c_size_t, c_uint),
    "cuMemHostUnregister": (c_void_p,),
    "cuMemcpyHtoD_v2": (c_uint64, c_void_p, c_size_t),
    "cuMemcpyDtoH_v2": (c_void_p, c_uint64, c_size_t),
    "cuMemcpyDtoD_v2": (c_uint64, c_uint64, c_size_t),
    "cuMemsetD8_v2": (c_uint64, c_ubyte, c_size_t),
    "cuIpcGetMemHandle": (POINTER(Handle), c_uint64),
    "cuIpcOpenMemHandle_v2": (POINTER(c_uint64), Handle, c_uint),
    "cuIpcCloseMemHandle": (c_uint64,),
    "cuModuleLoadData": (POINTER(c_void_p), c_void_p),
    "cuModuleGetFunction": (POINTER(c_void_p), c_void_p, c_char_p),
    "cuLaunchKernel": (c_void_p, *[c_uint] * 7, c_void_p, POINTER(c_void_p), POINTER(c_void_p)),
}


OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY


class CudaError(EvaluatorFault):
    """A call of the driver that failed in the judge's own process."""

    def __init__(self, call: str, code: int, name: str):
        super().__init__(f"{call}: {name}")
        self.code, self._made_of = code, (call, code, name)

    def __reduce__(self) -> tuple[type[CudaError], tuple[str, int, str]]:
        """Judges run in processes of their own, and what they raise is sent home."""
        return CudaError, self._made_of


class Driver:
    """The library. ``driver("cuMemFree_v2", pointer)`` calls one function of it.

    Raises:
        MissingTool: there is no such library, or it finds no GPU.
    """

    def __init__(self, library: str = LIBRARY):
        try:
            self._library = ctypes.CDLL(library)
        except OSError:
            raise MissingTool(f"no NVIDIA driver was found ({library})") from None
        try:
            self("cuInit", 0)
        except CudaError as error:
            raise MissingTool(f"NVIDIA's driver does not start: {error}") from error

    def __call__(self, name: str, *arguments: Any) -> None:
        """Call a function.

        Raises:
            CudaError: it answered with an error.
        """
        code = self._function(name)(*arguments)
        if code:
            raise CudaError(name, code, self._name(code))

    @functools.cache  # noqa: B019  (one driver a process)
    def _function(self, name: str) -> Any:
        function = getattr(self._library, name)
        function.argtypes, function.restype = _PROTOTYPES[name], c_int
        return function

    def _name(self, code: int) -> str:
        text = c_char_p()
        known = self._function("cuGetErrorName")(code, byref(text)) == 0 and text.value
        return known.decode() if known else f"error {code}"

    def count(self) -> int:
        """GPUs that are visible to this process."""
        found = c_int()
        self("cuDeviceGetCount", byref(found))
        return found.value

    def attribute(self, device: int, which: int) -> int:
        """One ``CUdevice_attribute``."""
        found = c_int()
        self("cuDeviceGetAttribute", byref(found), which, device)
        return found.value


class Gpu:
    """One GPU in a context of its own. Safe to call from several threads.

    Copies from and to the host, and fills, return when they are done.
    """

    def __init__(self, index: int = 0, library: str = LIBRARY):
        """`index`: the GPU's number, as the driver counts.

        Raises:
            MissingTool: there is no such GPU.
        """
        self._driver = driver = Driver(library)
        if not 0 <= index < driver.count():
            raise MissingTool(f"there is no GPU {index}: the driver counts {driver.count()}")
        device = c_int()
        driver("cuDeviceGet", byref(device), index)
        uuid, total = Uuid(), c_size_t()
        driver("cuDeviceGetUuid_v2", byref(uuid), device)
        driver("cuDeviceTotalMem_v2", byref(total), device)
        self.uuid = _uuid_text(bytes(uuid.bytes))
        self.total_bytes = total.value
        self.l2_bytes = driver.attribute(device.value, L2_CACHE_BYTES)
        self.multiprocessors = driver.attribute(device.value, MULTIPROCESSORS)
        self.arch = f"sm_{driver.attribute(device.value, MAJOR)}{driver.attribute(device.value, MINOR)}"
        self._context = c_void_p()
        driver("cuCtxCreate_v2", byref(self._context), SCHED_SPIN, device)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function of the driver in this context, whatever thread this is.

        Raises:
            CudaError: it answered with an error.
        """
        self._driver("cuCtxSetCurrent", self._context)
        self._driver(name, *arguments)

    def close(self) -> None:
        """End the context with all that it holds."""
        self._driver("cuCtxDestroy_v2", self._context)

    def synchronize(self) -> None:
        """Wait for all work of this context."""
        self.call("cuCtxSynchronize")

    def free_bytes(self) -> int:
        """Memory that nobody has."""
        free, total = c_size_t(), c_size_t()
        self.call("cuMemGetInfo_v2", byref(free), byref(total))
        return free.value

    def allocate(self, size: int) -> int:
        """Address of so many bytes, at a multiple of 256, in a block of their own."""
        pointer = c_uint64()
        self.call("cuMemAlloc_v2", byref(pointer), -(-size // UNIT) * UNIT)
        return pointer.value

    def free(self, pointer: int) -> None:
        """Give an allocation back."""
        self.call("cuMemFree_v2", pointer)

    def extent(self, pointer: int) -> tuple[int, int]:
        """Address and bytes of the allocation that `pointer` lies in."""
        base, size = c_uint64(), c_size_t()
        self.call("cuMemGetAddressRange_v2", byref(base), byref(size), pointer)
        return base.value, size.value

    def pin(self, address: int, size: int) -> None:
        """Let the GPU copy from this memory of the host without help."""
        self.call("cuMemHostRegister_v2", address, size, 0)

    def unpin(self, address: int) -> None:
        """Undo `pin`."""
        self.call("cuMemHostUnregister", address)

    def write(self, pointer: int, address: int, size: int) -> None:
        """Copy from the host at `address`."""
        self.call("cuMemcpyHtoD_v2", pointer, address, size)

    def read(self, pointer: int, size: int) -> bytearray:
        """A copy of so many bytes."""
        found = bytearray(size)
        if size:
            self.read_into(ctypes.addressof(c_ubyte.from_buffer(found)), pointer, size)
        return found

    def read_into(self, address: int, pointer: int, size: int) -> None:
        """Copy to the host, to `address`."""
        self.call("cuMemcpyDtoH_v2", address, pointer, size)

    def copy(self, target: int, source: int, size: int) -> None:
        """Copy on the GPU. Returns at once; `synchronize` waits for it."""
        if size:
            self.call("cuMemcpyDtoD_v2", target, source, size)

    def load(self, cubin: bytes, name: str) -> c_void_p:
        """One kernel of a module."""
        module, function = c_void_p(), c_void_p()
        self.call("cuModuleLoadData", byref(module), cubin)
        self.call("cuModuleGetFunction", byref(function), module, name.encode())
        return function

    def launch(self, function: c_void_p, blocks: int, threads: int, values: Sequence[int]) -> None:
        """Start a kernel whose parameters are all of 64 bits. Returns at once."""
        cells = [c_uint64(value) for value in values]
        places = (c_void_p * len(cells))(*[ctypes.addressof(cell) for cell in cells])
        self.call("cuLaunchKernel", function, blocks, 1, 1, threads, 1, 1, 0, None, places, None)

    def fill(self, pointer: int, value: int, size: int) -> None:
        """Set each of so many bytes."""
        self.call("cuMemsetD8_v2", pointer, value, size)
        self.synchronize()

    def handle(self, pointer: int) -> bytes:
        """What another process opens an allocation by."""
        found = Handle()
        self.call("cuIpcGetMemHandle", byref(found), pointer)
        return bytes(found.reserved)

    def open(self, handle: bytes) -> int:
        """Where another process's allocation is mapped here; the same place when it is opened again.

        Raises:
            CudaError: there is no such allocation.
        """
        pointer = c_uint64()
        opaque = Handle.from_buffer_copy(handle)
        self.call("cuIpcOpenMemHandle_v2", byref(pointer), opaque, LAZY_PEER_ACCESS)
        return pointer.value

    def close_handle(self, pointer: int) -> None:
        """Undo one `open`."""
        self.call("cuIpcCloseMemHandle", pointer)


def _uuid_text(raw: bytes) -> str:
    """As nvidia-smi writes it, and ``CUDA_VISIBLE_DEVICES`` takes it."""
    digits = raw.hex()
    cuts = (0, 8, 12, 16, 20, 32)
    return "GPU-" + "-".join(digits[a:b] for a, b in itertools.pairwise(cuts))
