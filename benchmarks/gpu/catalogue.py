"""The sixteen tasks: where each stands, its sizes, and its three kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kernelopt.kernel import Kernel
from kernelopt.suites import _constants
from kernelopt.task import Task

HERE = Path(__file__).resolve().parent
CORE = HERE.parent / "kernelbench" / "core"
LANGUAGES = ("triton", "cuda", "cupy")
SIZES = ("gpu", "aligned")
"""``gpu`` is the task's own large size, mostly with rows of odd length; ``aligned`` differs from it in rows
that start at 16-byte boundaries, so that 128-bit loads need no care."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One task."""

    name: str
    """Of the kernels' files as well."""
    id: str
    """In kernelbench-core, or ``own`` for one in ``tasks/``."""
    small: Mapping[str, int]
    """A size for interpreters, with tails everywhere."""
    aligned: Mapping[str, int]
    """What `aligned` changes of `gpu`."""
    product: bool = False
    """Whether tensor cores do the bulk of it, so that their rate is the roof to look at as well."""

    @property
    def file(self) -> Path:
        """The task's module."""
        if self.id == "own":
            return HERE / "tasks" / f"{self.name}.py"
        level, number = self.id.split("/")
        return next((CORE / f"level{level}").glob(f"{number}_*.py"))

    def task(self, size: str) -> Task:
        """The task at size ``gpu``, ``aligned``, ``cpu``, ``small``, or ``small aligned``."""
        text = self.file.read_text()
        sizes = _constants.constants(text)["SIZES"]
        changes = {
            "small": self.small,
            "small aligned": {**self.small, **_rounded(self.aligned, self.small)},
            "aligned": {**sizes["gpu"], **self.aligned},
        }
        text = _constants.rewrite(text, changes.get(size) or sizes[size])
        suite = "kernels for GPUs" if self.id == "own" else "kernelbench-core"
        return Task(
            id=self.name if self.id == "own" else self.id,
            name=self.file.stem,
            source=_constants.strip(text, ("SIZES", "TAGS")),
            suite=suite,
            size=size,
        )

    def kernel(self, language: str) -> Kernel:
        """The answer in one language."""
        return Kernel.from_source(self.kernel_file(language).read_text(), language)

    def kernel_file(self, language: str) -> Path:
        """Where that answer stands."""
        return HERE / language / f"{self.name}.py"


def _rounded(names: Mapping[str, int], sizes: Mapping[str, int]) -> dict[str, int]:
    """The small sizes of what `aligned` changes, up to the next multiple of eight."""
    return {name: (sizes[name] + 7) // 8 * 8 for name in names if name in sizes}


ENTRIES = (
    Entry("softmax", "1/12", {"ROWS": 7, "COLS": 777}, {"COLS": 2048}),
    Entry("layernorm", "1/14", {"BATCH": 2, "LENGTH": 3, "DIM": 1023}, {"DIM": 2048}),
    Entry("rmsnorm", "1/15", {"ROWS": 5, "DIM": 1301}, {"DIM": 4096}),
    Entry("bias_gelu_residual", "2/9", {"ROWS": 5, "DIM": 1501}, {"DIM": 2048}),
    Entry("swiglu", "2/11", {"ROWS": 5, "HIDDEN": 801}, {"HIDDEN": 2048}),
    Entry("row_sum", "own", {"ROWS": 13, "COLS": 1030}, {"COLS": 4096}),
    Entry("column_max", "1/22", {"BATCH": 3, "LENGTH": 13, "DIM": 201}, {"DIM": 1200}),
    Entry("cross_entropy", "1/36", {"BATCH": 37, "CLASSES": 501}, {"CLASSES": 4000}),
    Entry("cumsum", "1/25", {"ROWS": 5, "COLS": 2501}, {"COLS": 1024}),
    Entry("transpose", "own", {"ROWS": 131, "COLS": 102}, {"ROWS": 16384, "COLS": 16384}),
    Entry("linear_gelu", "own", {"BATCH": 150, "IN_FEATURES": 136, "OUT_FEATURES": 200}, {}, product=True),
    Entry("attention", "own", {"BATCH": 1, "HEADS": 2, "LENGTH": 150}, {"LENGTH": 2048}, product=True),
    Entry("masked_softmax", "2/10", {"HEADS": 2, "QUERIES": 5, "KEYS": 270}, {"KEYS": 1024}),
    Entry("residual_layernorm", "2/7", {"ROWS": 5, "DIM": 770}, {"DIM": 1024}),
    Entry("embedding", "own", {"SENTENCES": 3, "LENGTH": 11, "VOCABULARY": 53, "DIM": 250}, {"DIM": 1024}),
    Entry(
        "depthwise_conv",
        "1/32",
        {"BATCH": 1, "CHANNELS": 3, "HEIGHT": 63, "WIDTH": 61},
        {"HEIGHT": 128, "WIDTH": 128},
    ),
)
BY_NAME = {entry.name: entry for entry in ENTRIES}
