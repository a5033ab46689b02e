"""Task modules and official checkouts of our own making."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MODULE = '''"""Adds one."""

import torch
from torch import nn

batch_size = 128
features = 64


class Model(nn.Module):
    """The reference."""

    def forward(self, x):
        return x + 1.0


def get_inputs():
    return [torch.rand(batch_size, features)]


def get_init_inputs():
    return []
'''
"""A whole task in the manner of an official one."""

COMMIT = "423217d9fda91e0c2d67e4a43bf62f96f6d104f1"


@pytest.fixture
def module() -> str:
    return MODULE


@pytest.fixture(autouse=True)
def no_other_kernelbench(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither a checkout nor a cache of the machine that the tests run on is to be found."""
    monkeypatch.delenv("KERNELBENCH_ROOT", raising=False)
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.getbasetemp() / "no-hf"))


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., Path]:
    """Makes an official checkout: ``checkout({1: 100, 2: 3})`` has 100 and 3 tasks, at `COMMIT`."""

    def make(counts: dict[int, int], source: str = MODULE, name: str = "official") -> Path:
        root = tmp_path / name
        for level, count in counts.items():
            folder = root / "KernelBench" / f"level{level}"
            folder.mkdir(parents=True)
            for number in range(1, count + 1):
                (folder / f"{number}_Add_{number}.py").write_text(source)
        git = root / ".git"
        (git / "refs" / "heads").mkdir(parents=True)
        (git / "HEAD").write_text("ref: refs/heads/main\n")
        (git / "refs" / "heads" / "main").write_text(f"{COMMIT}\n")
        return root

    return make
