"""What a GPU was doing while something was timed: clocks, temperature, and why it held back.

Everything is read and nothing set. Not run on a GPU yet; the bits are NVIDIA's (NVML API reference,
``nvmlClocksThrottleReasons``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

REASONS = {
    0x1: "idle",
    0x2: "clocks set by an application",
    0x4: "power limit",
    0x8: "hardware slowdown",
    0x10: "clocks follow another GPU",
    0x20: "thermal slowdown by the driver",
    0x40: "thermal slowdown by the hardware",
    0x80: "power brake",
    0x100: "clocks set for a display",
}
"""Bit to words."""
VOID = 0x8 | 0x20 | 0x40 | 0x80
"""Bits that make a sample worthless: the card was kept below what it does otherwise. The power limit is not
among them: large products run into it on every card, at every run."""
REDONE = 2
"""How often a throttled measurement is made again."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class State:
    """A GPU at one moment."""

    sm_mhz: int
    memory_mhz: int
    temperature_c: int
    power_w: float
    reasons: int
    """Bits of `REASONS`."""
    hot_ns: int = 0
    """For how long, since the driver was loaded, heat has slowed it down; 0 where it does not tell."""

    @property
    def held_back(self) -> tuple[str, ...]:
        """Why it runs below its highest clocks; an idle card is not held back."""
        return tuple(words for bit, words in REASONS.items() if self.reasons & bit and bit != 0x1)

    @property
    def throttled(self) -> bool:
        """Whether what is timed now is worthless."""
        return bool(self.reasons & VOID)

    def to_json(self) -> dict[str, Any]:
        """Figures, and the reasons in words."""
        return {**asdict(self), "reasons": list(self.held_back)}


def spoilt(before: State, after: State) -> tuple[str, ...]:
    """Why what was timed between two readings is worthless, in words; empty where it is not.

    A card may be slowed down and recover between them; the time that heat slowed it down tells that.
    """
    bits = (before.reasons | after.reasons) & VOID
    words = tuple(words for bit, words in REASONS.items() if bits & bit)
    return words or (("thermal slowdown in between",) if after.hot_ns > before.hot_ns else ())


class Meter:
    """Reads one GPU through NVML. Use as a context manager."""

    def __init__(self, gpu: int | str = 0):
        """`gpu`: its number, as NVML and ``nvidia-smi`` count, or its UUID.

        Raises:
            ImportError: the package nvidia-ml-py is not there.
            RuntimeError: NVML, that is the driver, is not there.
        """
        import pynvml  # noqa: PLC0415 - of use to nobody but those with a driver

        self._nvml = pynvml
        try:
            pynvml.nvmlInit()
            by = (
                pynvml.nvmlDeviceGetHandleByIndex
                if isinstance(gpu, int)
                else pynvml.nvmlDeviceGetHandleByUUID
            )
            self._handle = by(gpu)
        except pynvml.NVMLError as error:
            raise RuntimeError(f"NVML: {error}") from error

    def read(self) -> State:
        """The GPU now.

        Raises:
            RuntimeError: this card, or this driver, does not tell.
        """
        try:
            return self._state()
        except self._nvml.NVMLError as error:
            raise RuntimeError(f"NVML: {error}") from error

    def _state(self) -> State:
        nvml, handle = self._nvml, self._handle
        return State(
            int(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
            int(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)),
            int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
            nvml.nvmlDeviceGetPowerUsage(handle) / 1000,
            int(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)),
            self._hot_ns(),
        )

    def _hot_ns(self) -> int:
        """NVML's count of nanoseconds in violation of the thermal limit; not every card keeps one."""
        nvml = self._nvml
        try:
            found = nvml.nvmlDeviceGetViolationStatus(self._handle, nvml.NVML_PERF_POLICY_THERMAL)
        except (nvml.NVMLError, AttributeError):
            return 0
        return int(found.violationTime)

    def uuid(self) -> str:
        """What names this GPU on every machine: ``GPU-`` and digits."""
        found = self._nvml.nvmlDeviceGetUUID(self._handle)
        return str(found.decode() if isinstance(found, bytes) else found)

    def close(self) -> None:
        """Let NVML go."""
        self._nvml.nvmlShutdown()

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def unthrottled(
    measure: Callable[[], _T], read: Callable[[], State], worth: Callable[[_T], bool] = lambda _: True
) -> tuple[_T, State, State, int]:
    """Measure, and again while the card was throttled; at most `REDONE` times more.

    `worth`: whether what was measured holds a time at all. What does not is not made again.

    Returns:
        The last measurement, the states before and after it, and how many were thrown away.
    """
    redone = -1
    while True:
        redone += 1
        before, found, after = read(), measure(), read()
        if redone == REDONE or not worth(found) or not spoilt(before, after):
            return found, before, after, redone
