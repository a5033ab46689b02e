"""NPUEval's own data file: one JSON object a line, with its prompt, vectors and tolerances.

Fields: ``kernel_name``, ``prompt``, ``canonical_solution``, ``program_code``, ``test_vectors`` (``inputs``,
``outputs`` and ``rtps``, each a list of ``{NAME: values, "dtype": DTYPE}``) and, in some, ``tolerances``.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernelopt.errors import TaskError
from kernelopt.npu import ITEM_BYTES, Buffer, Param, Spec, Vectors, numpy_dtype
from kernelopt.npu.spec import parse_signature

SUFFIX = ".jsonl"
COMPLETE = 102
"""Kernels in the published file (snapshot 0b5efc9)."""
_FIELDS = ("kernel_name", "prompt", "test_vectors")
_DTYPES = {"float": "float32", "bf16": "bfloat16"}


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One kernel of the file."""

    spec: Spec
    prompt: str
    vectors: tuple[Vectors, ...]


def read(path: Path) -> Mapping[str, Row]:
    """Every kernel by name, in the file's order; read once for each version of the file.

    Raises:
        TaskError: the file cannot be read, or a line of it is no kernel (the first such line is named).
    """
    try:
        about = path.stat()
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {str(error.strerror).lower()}") from error
    return _read(path, about.st_mtime_ns, about.st_size)


@functools.lru_cache(maxsize=2)
def _read(path: Path, _changed: int, _size: int) -> Mapping[str, Row]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path} cannot be read as text: {error}") from error
    rows: dict[str, Row] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            row = _row(line, f"{path}:{number}")
            if row.spec.kernel in rows:
                raise TaskError(f"{path}:{number}: a second kernel {row.spec.kernel}")
            rows[row.spec.kernel] = row
    if not rows:
        raise TaskError(f"{path} holds no kernels; give NPUEval's own npueval.jsonl")
    return rows


def _row(line: str, where: str) -> Row:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise TaskError(f"{where}: not JSON: {error}") from error
    lacking = [name for name in _FIELDS if not isinstance(data, dict) or name not in data]
    if lacking:
        raise TaskError(f"{where}: no field {lacking[0]!r}; is this NPUEval's own file?")
    try:
        return _parsed(data)
    except TaskError as error:
        raise TaskError(f"{where}: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise TaskError(f"{where}: test_vectors of {data['kernel_name']}: {error}") from error


def _parsed(data: Mapping[str, Any]) -> Row:
    name, prompt, given = data["kernel_name"], data["prompt"], data["test_vectors"]
    signature, arguments = _signature(name, prompt)
    inputs, outputs, rtps = (_named(given.get(kind) or []) for kind in ("inputs", "outputs", "rtps"))
    arrays = {each: _array(*value) for each, value in {**inputs, **outputs}.items()}
    buffers, params = [], []
    for each, dtype, pointer, const in arguments:
        if not pointer:
            params.append(Param(each, rtps[each][0], dtype))
            continue
        if each not in arrays:
            raise TaskError(f"the signature has a buffer {each!r} that test_vectors lacks")
        role = "output" if each in outputs else "input"
        buffers.append(Buffer(each, role, arrays[each].shape, str(arrays[each].dtype), const))
    close = data.get("tolerances") or {}
    spec = Spec(
        name,
        "",
        signature,
        tuple(buffers),
        tuple(params),
        float(close.get("atol", 0.01)),
        float(close.get("rtol", 0.01)),
    )
    vectors = Vectors(
        "official",
        {each: arrays[each] for each in inputs},
        {param.name: param.value for param in params},
        {each: arrays[each] for each in outputs},
    )
    return Row(spec, prompt, (vectors,))


def _signature(name: str, prompt: str) -> tuple[str, list[tuple[str, str, bool, bool]]]:
    """The last function of that name in a prompt; the text and its arguments."""
    start = prompt.rfind(f"{name}(")
    start = prompt.rfind("void", 0, start)
    text = prompt[max(start, 0) :].partition(")")[0] + ")"
    return " ".join(text.split()), parse_signature(text)[1]


def _named(entries: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, str]]:
    """Name to values and dtype."""
    found = {}
    for entry in entries:
        (name,) = (key for key in entry if key != "dtype")
        dtype = _DTYPES.get(entry["dtype"], entry["dtype"])
        if dtype not in ITEM_BYTES:
            raise TaskError(f"{name} has the dtype {dtype!r}, which kernels have not")
        found[name] = (entry[name], dtype)
    return found


def _array(values: Any, dtype: str) -> Any:
    import numpy as np

    kind = numpy_dtype(dtype)
    wide = np.asarray(values, np.float64 if kind.kind not in "iu" else np.int64)
    return wide.astype(kind)
