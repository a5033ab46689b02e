"""One build cache for all tests that precompile PyTorch's headers: half a minute and 0.5 GB each."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def torch_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder that all xdist workers of a run share; the last worker removes it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if worker else base) / "torch-cache"
    user = folder / "users" / (worker or "only")
    user.parent.mkdir(parents=True, exist_ok=True)
    user.touch()
    yield folder
    user.unlink()
    if not any(user.parent.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
