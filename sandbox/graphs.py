"""The reference as a CUDA graph: the baseline ``cuda-graphs``.

A graph reads the memory that it was captured with, and writes the memory that it was captured with. Every
call here comes with inputs of its own and its outputs have to last, so a call copies the inputs in, replays,
and copies the outputs out. These copies are part of what is timed: whoever puts a graph into a program
pays them too, unless the program is built around the graph's own buffers.
"""

from __future__ import annotations

from typing import Any

WARM_CALLS = 3
"""Before capture, on a side stream, as PyTorch's notes on CUDA graphs ask: libraries set themselves up."""


class Replayed:
    """A model whose calls are replays of a graph, one for each shape of inputs; captured when first seen."""

    def __init__(self, model: Any, cuda: Any = None) -> None:
        """`cuda` is ``torch.cuda`` unless a test has something else.

        Raises:
            RuntimeError: there is no GPU.
        """
        import torch

        self._model, self._cuda = model, cuda or torch.cuda
        if not self._cuda.is_available():
            raise RuntimeError("CUDA graphs need a GPU")
        self._graphs: dict[Any, _Graph] = {}

    def __call__(self, *args: Any) -> Any:
        """One call; the result lies in memory of its own.

        Raises:
            RuntimeError: the model does what a graph cannot hold: waits for the GPU, or reads from it.
        """
        from torch.utils import _pytree

        leaves, tree = _pytree.tree_flatten(args)
        key = (str(tree), *(_signature(leaf) for leaf in leaves))
        if key not in self._graphs:
            self._graphs[key] = _Graph(self._model, leaves, tree, self._cuda)
        return self._graphs[key].replay(leaves)


class _Graph:
    """One captured call."""

    def __init__(self, model: Any, leaves: list, tree: Any, cuda: Any) -> None:
        from torch.utils import _pytree

        self._inputs = [leaf.clone() if _is_tensor(leaf) else leaf for leaf in leaves]
        args = _pytree.tree_unflatten(self._inputs, tree)
        side = cuda.Stream()
        side.wait_stream(cuda.current_stream())
        with cuda.stream(side):
            for _ in range(WARM_CALLS):
                model(*args)
        cuda.current_stream().wait_stream(side)
        self._graph = cuda.CUDAGraph()
        with cuda.graph(self._graph):
            made = model(*args)
        self._outputs, self._tree = _pytree.tree_flatten(made)

    def replay(self, leaves: list) -> Any:
        from torch.utils import _pytree

        for place, leaf in zip(self._inputs, leaves, strict=True):
            if _is_tensor(leaf):
                place.copy_(leaf)
        self._graph.replay()
        return _pytree.tree_unflatten([x.clone() if _is_tensor(x) else x for x in self._outputs], self._tree)


def _signature(leaf: Any) -> Any:
    """What a graph was captured for: another shape or another number needs another graph.

    Raises:
        RuntimeError: a tensor that does not lie on the GPU, which a replay would not read again.
    """
    if not _is_tensor(leaf):
        return repr(leaf)
    if leaf.device.type != "cuda":
        raise RuntimeError(f"an input lies on the {leaf.device.type}, and a graph reads the GPU only")
    return tuple(leaf.shape), leaf.stride(), str(leaf.dtype)


def _is_tensor(leaf: Any) -> bool:
    import torch

    return isinstance(leaf, torch.Tensor)
