"""Launches of Triton functions, specialised as Triton does it and then only written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recording import Records, three


class Launched:
    """What a launch of a Triton function returns; kernels ask it for registers and shared memory."""

    function, packed_metadata, n_regs, n_spills, n_max_threads = 0, (), 32, 0, 1024

    def __init__(self, note: Callable[[Any], None], metadata: Any):
        self._note, self.metadata, self.asm = note, metadata, {}

    def launch_metadata(self, *_: Any) -> None:
        """Nobody listens."""

    def _init_handles(self) -> None:
        """Nothing is loaded."""

    def run(self, one: int, two: int, three: int, *_: Any) -> None:
        """Note the launch."""
        self._note([int(one), int(two), int(three)])

    def __getitem__(self, grid: Any) -> Callable[..., None]:
        return lambda *_: self._note(three(grid))


def record_triton(records: Records, driver: Any) -> None:
    """Let Triton specialise each launch as it would on `driver`'s GPU, and stop there."""
    import types

    import triton
    from triton.runtime.jit import JITFunction

    def do_compile(
        self: Any,
        key: Any,
        signature: dict,
        device: Any,
        constants: dict,
        options: Any,
        attrs: dict,
        warm: bool,
    ) -> Launched:
        def note(grid: list[int] | None) -> None:
            entry = launch_entry(self, signature, constants, options, attrs, grid)
            records.triton(
                (id(self), str(key), str(grid)), entry, (self, signature, constants, attrs, options)
            )

        if warm:
            note(None)
        facts = types.SimpleNamespace(shared=0, num_warps=options.num_warps, name=self.__name__)
        return Launched(note, facts)

    def benchmarker() -> Callable[..., list[float]]:
        tried: list[bool] = []

        def bench(call: Callable[[], Any], quantiles: Any = (0.5,), **_: Any) -> list[float]:
            tried.append(True)
            if len(tried) <= records.most_configs:
                call()
            return [1.0] * len(quantiles)

        return bench

    if not hasattr(JITFunction, "_do_compile"):
        raise RuntimeError(
            f"Triton {triton.__version__} is too old to see what it launches; install 3.4 or newer"
        )
    driver.get_benchmarker = benchmarker
    triton.runtime.driver.set_active(driver)
    JITFunction._do_compile = do_compile


def launch_entry(
    function: Any, signature: dict, constants: dict, options: Any, attrs: dict, grid: list[int] | None
) -> dict:
    """One specialisation as plain data."""
    names = list(signature)
    path = {key: ".".join([names[key[0]], *map(str, key[1:])]) for key in {*constants, *attrs}}
    aligned = [path[key] for key, value in attrs.items() if ["tt.divisibility", 16] in map(list, value or ())]
    wanted = ("num_warps", "num_stages", "num_ctas", "maxnreg")
    return {
        "kernel": str(function.__name__),
        "line": int(getattr(function, "starting_line_number", 0) or 0),
        "grid": grid,
        "signature": {name: str(kind) for name, kind in signature.items()},
        "constants": {path[key]: constant(value) for key, value in constants.items()},
        "aligned": sorted(aligned),
        "options": {
            name: getattr(options, name) for name in wanted if getattr(options, name, None) is not None
        },
        "times": 1,
    }


def constant(value: Any) -> Any:
    """A constant in a form that JSON has."""
    value = getattr(value, "value", value)
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)[:80]
