"""Answers in Triton's interpreter: reads {name: [task, answer]}, writes {name: "right" or what is wrong}."""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
import traceback
from pathlib import Path

import torch
from test_builtin_write import double, run, worst_error


def made(space: dict, name: str, reference: dict | None = None) -> torch.nn.Module:
    """A model of a module, with the arguments of the task."""
    return space[name](*(reference or space)["get_init_inputs"]()).eval()


def verdict(task: str, answer: str, folder: Path, name: str) -> str:
    """What one answer is worth."""
    file = folder / f"{name.replace('-', '_')}.py"
    file.write_text(answer)  # Triton reads a function's text from its file
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        reference = run(task)
        model, new = made(reference, "Model"), made(vars(module), "ModelNew", reference)
        new.load_state_dict(model.state_dict())
        torch.manual_seed(2)
        given = reference["get_inputs"]()
        with torch.no_grad():
            got, want = new(*given), model.double()(*map(double, given))
        pairs = zip(got, want, strict=True) if isinstance(got, tuple) else [(got, want)]
        worst = max(worst_error(*pair) for pair in pairs)
    except Exception:
        return traceback.format_exc()[-1500:]
    return "right" if worst <= 1.0 else f"off by {worst:.3g} times what is allowed"


def main() -> None:
    """Judge all of standard input."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = {name: verdict(*pair, Path(folder), name) for name, pair in json.load(sys.stdin).items()}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
