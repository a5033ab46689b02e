"""Meaning instead of words: an optional second ranking by a local sentence-transformers model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from kernelopt.errors import ConfigError, MissingTool

VARIABLE = "KERNELOPT_EMBEDDINGS"
"""Names the folder of a local model; without it no embeddings are made."""


class Encoder(Protocol):
    """Texts → vectors."""

    name: str
    """Part of the key of a built index: vectors of two models are never mixed."""

    def encode(self, texts: Sequence[str]) -> Any:
        """Floats [texts, dimensions], of any length."""


class LocalModel:
    """A sentence-transformers model in a folder; nothing is fetched."""

    def __init__(self, path: Path) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as problem:
            raise MissingTool(
                f"{VARIABLE}: the package sentence-transformers is not installed; "
                "install it with `pip install 'kernelopt[embeddings]'`"
            ) from problem
        self.name = str(path.resolve())
        self._model = SentenceTransformer(self.name, local_files_only=True, device="cpu")

    def encode(self, texts: Sequence[str]) -> Any:
        """See `Encoder`."""
        return self._model.encode(list(texts), show_progress_bar=False)


@lru_cache(maxsize=1)
def chosen() -> Encoder | None:
    """The model that ``$KERNELOPT_EMBEDDINGS`` names, None where it names none.

    Raises:
        ConfigError: the folder does not exist.
        MissingTool: sentence-transformers is not installed.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return None
    if not Path(path).is_dir():
        raise ConfigError(
            f"{VARIABLE}: {path} is no folder; give that of a local sentence-transformers model"
        )
    return LocalModel(Path(path))


def vectors(encoder: Encoder, texts: Sequence[str]) -> Any:
    """Vectors of length one, float32 [texts, dimensions]."""
    import numpy as np

    raw = np.asarray(encoder.encode(texts), "f4").reshape(len(texts), -1)
    return raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12)
