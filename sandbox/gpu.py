"""Where the tensors of a job live that runs on a GPU: `Gpu`, in the place of the worker's `Host`.

Input sets lie in memory of the judge's, mapped by its handle. Outputs stay where the kernel put them; the
judge is told the handles of those allocations and reads them itself. Everything that is said here is a claim.
"""

from __future__ import annotations

import bisect
import ctypes
from ctypes import byref, c_float, c_int, c_size_t, c_ubyte, c_uint, c_uint64, c_void_p

LIBRARY = "libcuda.so.1"
LAZY_PEER_ACCESS = 1  # CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS
BUFFER_ID = 7  # CU_POINTER_ATTRIBUTE_BUFFER_ID: of an allocation, never given twice


class Handle(ctypes.Structure):
    """``CUipcMemHandle``."""

    _fields_ = (("reserved", c_ubyte * 64),)


class Gpu:
    """The GPU that this process sees, in the context that torch uses."""

    def __init__(self) -> None:
        import torch

        torch.cuda.init()
        torch.empty(1, device="cuda")  # from here on torch's context is current
        self.out = None
        self.driver = ctypes.CDLL(LIBRARY)
        self.arena = range(0)
        self.known: dict[int, tuple[int, int, str]] = {}
        """Allocations by base: size, number, handle."""
        self.events = [c_void_p(), c_void_p()]
        for event in self.events:
            self.call("cuEventCreate", byref(event), c_uint(0))

    def call(self, name: str, *arguments) -> None:
        """Call a function of the driver; each argument in its own C type."""
        code = getattr(self.driver, name)(*arguments)
        if code:
            raise RuntimeError(f"{name}: {self.error(code)}")

    def error(self, code: int) -> str:
        """The name of an error, and what it means."""
        texts = [ctypes.c_char_p(), ctypes.c_char_p()]
        self.driver.cuGetErrorName(c_int(code), byref(texts[0]))
        self.driver.cuGetErrorString(c_int(code), byref(texts[1]))
        return ": ".join(text.value.decode() for text in texts if text.value) or f"error {code}"

    def put(self, value):
        """A model, or a tensor, on the GPU."""
        import torch

        if isinstance(value, (list, tuple)):
            return type(value)([self.put(part) for part in value])
        return value.cuda() if isinstance(value, (torch.nn.Module, torch.Tensor)) else value

    def map(self, fds: list, handle: str, size: int):
        """The judge's memory behind a handle, as a byte tensor."""
        pointer, opaque = c_uint64(), Handle.from_buffer_copy(bytes.fromhex(handle))
        self.call("cuIpcOpenMemHandle_v2", byref(pointer), opaque, c_uint(LAZY_PEER_ACCESS))
        self.arena = range(pointer.value, pointer.value + size)
        return tensor_over(pointer.value, size)

    def wait(self) -> None:
        """Wait for the GPU; a kernel that failed there is told of now."""
        self.call("cuCtxSynchronize")

    def begin(self) -> int:
        """A moment on the GPU, which has nothing to do yet."""
        self.wait()
        self.call("cuEventRecord", self.events[0], stream())
        return 0

    def end(self, began: int) -> int:
        """GPU's time since then, in ns, once all that was asked for is done."""
        self.call("cuEventRecord", self.events[1], stream())
        self.wait()
        spent_ms = c_float()
        self.call("cuEventElapsedTime", byref(spent_ms), *self.events)
        return int(spent_ms.value * 1e6)

    def homes(self, at: list) -> dict:
        """The allocations of outputs at these addresses: base, bytes and handle of each.

        Handles are asked for once an allocation: this is within the time of a batch.
        """
        for base in [base for base, (_, number, _) in self.known.items() if self.number(base) != number]:
            del self.known[base]  # freed since then
        used, bases = set(), sorted(self.known)
        for pointer in [one for call in at for one in call]:
            index = bisect.bisect_right(bases, pointer) - 1
            if index >= 0 and pointer < bases[index] + self.known[bases[index]][0]:
                used.add(bases[index])
            elif base := self.learn(pointer):
                used.add(base)
                bases = sorted(self.known)
        return {"homes": [[base, self.known[base][0], self.known[base][2]] for base in used]}

    def learn(self, pointer: int) -> int:
        """Look at the allocation around `pointer`; its base, or 0 where it can be shown to nobody."""
        base, size, handle = c_uint64(), c_size_t(), Handle()
        if not pointer or pointer in self.arena:
            return 0
        if self.driver.cuMemGetAddressRange_v2(byref(base), byref(size), c_uint64(pointer)):
            return 0
        if self.driver.cuIpcGetMemHandle(byref(handle), base):
            return 0
        opaque = bytes(handle.reserved).hex()
        self.known[base.value] = size.value, self.number(base.value), opaque
        return base.value

    def number(self, base: int) -> int:
        """What tells an allocation from another one that was at the same place."""
        found = c_uint64()
        code = self.driver.cuPointerGetAttribute(byref(found), c_int(BUFFER_ID), c_uint64(base))
        return -1 if code else found.value


def stream() -> c_void_p:
    """The one that torch launches to now."""
    import torch

    return c_void_p(torch.cuda.current_stream().cuda_stream)


def tensor_over(address: int, size: int):
    """A tensor of bytes over memory that the GPU has at `address`."""
    import torch

    return torch.as_tensor(Bytes(address, size), device="cuda")


class Bytes:
    """So many bytes at an address, for whoever speaks NumPy's interface for CUDA arrays."""

    def __init__(self, address: int, size: int):
        self.__cuda_array_interface__ = {
            "shape": (size,),
            "typestr": "|u1",
            "data": (address, False),
            "strides": None,
            "version": 3,
        }
