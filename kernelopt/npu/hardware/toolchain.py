"""What of the real toolchain is installed here, without running any of it."""

from __future__ import annotations

import importlib.util
import os
import site
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DEVICES = Path("/dev/accel")
XRT = Path("/opt/xilinx/xrt")
PEANO_VARIABLE, MLIR_VARIABLE = "PEANO_INSTALL_DIR", "MLIR_AIE_INSTALL_DIR"


@dataclass(frozen=True, slots=True)
class Found:
    """One part: what was found, or how to add it."""

    name: str
    path: str = ""
    version: str = ""
    mend: str = ""

    def __bool__(self) -> bool:
        return bool(self.path)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Every part that a run on a device needs."""

    peano: Found
    mlir_aie: Found
    xrt: Found
    device: Found

    def parts(self) -> tuple[Found, ...]:
        """In the order in which they are needed."""
        return self.peano, self.mlir_aie, self.xrt, self.device

    def missing(self) -> str | None:
        """One line for what keeps a kernel from being run on a device, or None."""
        absent = [part for part in self.parts() if not part]
        if not absent:
            return None
        return f"no {', no '.join(part.name for part in absent)}: {absent[0].mend}"


def find(variables: Mapping[str, str] | None = None, devices: Path = DEVICES, xrt: Path = XRT) -> Toolchain:
    """Look for the parts: variables first, then packages of this Python, then the usual places."""
    known = os.environ if variables is None else variables
    return Toolchain(_peano(known), _mlir(known), _xrt(known, xrt), _device(devices))


def _peano(variables: Mapping[str, str]) -> Found:
    mend = f"install llvm-aie from its release page, or set {PEANO_VARIABLE} to where bin/clang++ is"
    for folder in (variables.get(PEANO_VARIABLE, ""), _package("llvm-aie")):
        if folder and (Path(folder) / "bin" / "clang++").is_file():
            return Found("Peano", folder, _version("llvm-aie"))
    return Found("Peano", mend=mend)


def _mlir(variables: Mapping[str, str]) -> Found:
    mend = f"install mlir_aie from its release page, or set {MLIR_VARIABLE} to where bin/aiecc.py is"
    for folder in (variables.get(MLIR_VARIABLE, ""), _package("mlir_aie")):
        if folder and (Path(folder) / "bin" / "aiecc.py").is_file():
            return Found("mlir-aie", folder, _version("mlir_aie"))
    return Found("mlir-aie", mend=mend)


def _xrt(variables: Mapping[str, str], usual: Path) -> Found:
    mend = "install XRT and its Python bindings (package xrt-base, xrt-npu), or set XILINX_XRT"
    folder = Path(variables.get("XILINX_XRT", "") or usual)
    if any((folder / "python").glob("pyxrt*")) or importlib.util.find_spec("pyxrt") is not None:
        return Found("XRT", str(folder))
    return Found("XRT", mend=mend)


def _device(folder: Path) -> Found:
    mend = "amdxdna makes /dev/accel/accel0; a container needs --device and --ulimit memlock=-1"
    nodes = sorted(folder.glob("accel*")) if folder.is_dir() else []
    return Found("NPU device", str(nodes[0]), mend="") if nodes else Found("NPU device", mend=mend)


def _package(name: str) -> str:
    """Folder of an installed package whose files lie below its own name."""
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    places = list(spec.submodule_search_locations or []) if spec else []
    beside = [Path(path) / name for path in site.getsitepackages()]
    return places[0] if places else next((str(path) for path in beside if path.is_dir()), "")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
