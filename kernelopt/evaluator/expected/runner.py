"""A task's reference, run on the trusted side: as it is, in fp64, and shaken by rounding."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch

from kernelopt.evaluator.compare.precision import ROUNDINGS, label
from kernelopt.evaluator.data.arena import leaves, set_bytes
from kernelopt.evaluator.data.inputs import dense, double
from kernelopt.evaluator.expected.bearing import boldest
from kernelopt.evaluator.expected.distributions import transform
from kernelopt.evaluator.expected.figures import Moves, displacement, output, wanted, widest, with_rounding
from kernelopt.evaluator.expected.fixed import VARIATIONS, vary
from kernelopt.evaluator.expected.modes import default_dtype, using
from kernelopt.evaluator.expected.place import Place
from kernelopt.evaluator.expected.rounding import operands, rounded
from kernelopt.evaluator.expected.sample import Sample, real, same_bits
from kernelopt.evaluator.expected.sensitivity import Shaken
from kernelopt.suites._load import load, make_inputs, run_model
from kernelopt.task import Task, Workload

SEED = 42
"""Weights are made under one seed on both sides: this one, as in KernelBench, where no other is given.
Inputs use secret seeds."""
FEW = 16
"""Outputs of fewer elements are shaken twice: the error of one number can be small by luck."""


class Runner:
    """The reference module of one task. Keeps weights, but no inputs and no outputs.

    It runs with as many `threads` as are asked for; whatever else the process does is left to one.
    """

    def __init__(
        self,
        task: Task,
        secret: random.Random,
        seed: int = SEED,
        threads: int = 1,
        place: Place | None = None,
    ):
        self._secret, self._threads, self._place = secret, threads, place or Place()
        self._module = load(task)
        self._model, self.moved = boldest(self._module, seed, secret.getrandbits(62), threads)
        self.init: list[Any] = list(self._module.get_init_inputs())
        self._buffers = [b.detach().clone() for b in self._model.buffers()]

    @property
    def state(self) -> dict[str, torch.Tensor]:
        """Parameters and buffers of the reference as constructed."""
        return {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def memory(self) -> int:
        """Bytes of its parameters and buffers."""
        models = (self._model, self.__dict__.get("_wide"))
        return sum(set_bytes(list(model.state_dict().values())) for model in models if model)

    def adopt(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over the parameters and buffers of another reference of the same structure."""
        self._model.load_state_dict(dict(state))
        self._buffers = [b.detach().clone() for b in self._model.buffers()]
        self.__dict__.pop("_wide", None)

    @property
    def model(self) -> torch.nn.Module:
        """The reference as constructed."""
        self._rewind(self._model)
        return self._model

    @property
    def wide(self) -> torch.nn.Module:
        """The same in fp64."""
        self._rewind(self._wide)
        return self._wide

    def inputs(self, name: str = "given", seed: int | None = None) -> list[Any]:
        """A fresh input set from a secret seed, changed by the transform `name` as far as it applies."""
        chosen = self._secret.getrandbits(62) if seed is None else seed
        return dense(self._transformed(make_inputs(self._module, chosen), name, chosen))

    def changed(self, name: str, seed: int) -> list[Any] | None:
        """The same; None where the transform changes nothing in this task's inputs."""
        made = make_inputs(self._module, seed)
        changed = self._transformed(made, name, seed)
        pairs = zip(leaves(made), leaves(changed), strict=True)
        return dense(changed) if any(before is not after for before, after in pairs) else None

    def _transformed(self, made: list[Any], name: str, seed: int) -> list[Any]:
        if name in VARIATIONS:
            return vary(made, lambda: make_inputs(self._module, seed ^ 1), seed, name)
        return transform(made, name, seed)

    def measured(self, workload: Workload, args: list[Any]) -> Sample:
        """What is expected for `args` (which stay as they are), and PyTorch's own error.

        Raises:
            TaskError: the reference fails on `args`.
        """
        mine = copy.deepcopy(args)
        eager = self._run(self._model, mine)
        homes = {x.untyped_storage().data_ptr() for x in leaves(mine)}
        pairs = enumerate(zip(leaves(args), leaves(mine), strict=True))
        written = {index: own for index, (before, own) in pairs if not same_bits(before, own)}
        del mine  # large: what follows needs the room
        exact = self._exactly(args)
        wide, wide_after = exact or (eager, list(written.values()))
        stores = [e.untyped_storage().data_ptr() for e in eager]
        outputs = [output(e, w, homes, stores) for e, w in zip(eager, wide, strict=True)]
        if exact:
            wide_after = [wide_after[index] for index in written]
        after = {k: wanted(own, w) for (k, own), w in zip(written.items(), wide_after, strict=True)}
        return Sample(workload, args, outputs, after)

    def shaken(self, sample: Sample) -> tuple[list[Moves], set[str]]:
        """How far rounding moves each output (see `displacement`), and the operators that ran."""
        few = any(0 < wanted.value.numel() < FEW for wanted in sample.outputs)
        worst: list[Moves] = [(0.0, 0.0, 0.0)] * len(sample.outputs)
        for _ in range(2 if few else 1):
            with Shaken(self._secret.getrandbits(62)) as mode:
                found = self._run(self._model, copy.deepcopy(sample.args))
            pairs = zip(found, sample.outputs, strict=True)
            moved = [displacement(f, w.value, tail=w.bulk is not None) for f, w in pairs]
            worst = [
                (max(a, d), max(b, e), max(c, f)) for (a, b, c), (d, e, f) in zip(worst, moved, strict=True)
            ]
        return worst, mode.operators

    def refilled(self, outline: Sample, args: list[Any]) -> Sample:
        """A sample whose figures are known, its values computed again."""
        numbers = all(w.numbers for w in outline.outputs)
        exact = self._exactly(args) if numbers and not outline.after else None
        values = [real(widest(w)) for w in exact[0]] if exact else None
        if values is None:
            fresh = self.measured(outline.workload, args)
            values = [new.value for new in fresh.outputs]
            outline = replace(outline, after=fresh.after)
        pairs = zip(outline.outputs, values, strict=True)
        outputs = [replace(known, held=value) for known, value in pairs]
        return replace(outline, args=args, outputs=outputs)

    def with_rounded(self, sample: Sample, *, each: bool = False) -> Sample:
        """The sample with what shorter types would do to each of its float32 outputs (see `precision`).

        `each`: and what they would do to one operand of products at a time, which takes some runs more.
        """
        if sample.outputs[0].rounded or all(w.dtype != torch.float32 for w in sample.outputs):
            return sample
        choices = [None, *operands(self._wide, sample.args)] if each else [None]
        outputs = sample.outputs
        for (name, rounding), choice in itertools.product(ROUNDINGS.items(), choices):
            try:
                with rounded(self._wide, sample.args, rounding, choice) as args, default_dtype(torch.float64):
                    pairs = zip(self._widely(double(args)), outputs, strict=True)
            except RuntimeError:  # it insists on its own dtypes
                return sample
            outputs = [with_rounding(w, label(name, choice), short) for short, w in pairs]
        return replace(sample, outputs=outputs)

    @cached_property
    def _wide(self) -> torch.nn.Module:
        self._rewind(self._model)
        return copy.deepcopy(self._model).double()

    def _rewind(self, model: torch.nn.Module) -> None:
        """Undo what calls did to buffers (running statistics, counters)."""
        for buffer, kept in zip(model.buffers(), self._buffers, strict=True):
            buffer.copy_(kept)

    def _run(self, model: torch.nn.Module, args: list[Any]) -> list[torch.Tensor]:
        self._rewind(model)
        with using(self._threads):
            return leaves(run_model(self._module, model, args))

    def _exactly(self, args: list[Any]) -> tuple[list[torch.Tensor], list[torch.Tensor]] | None:
        """Outputs in fp64 and what the arguments hold after the call; None where it insists on its dtypes."""
        mine = double(args)
        try:
            with default_dtype(torch.float64):
                return self._widely(mine), leaves(mine)
        except RuntimeError:
            return None

    def _widely(self, args: list[Any]) -> list[torch.Tensor]:
        with torch.no_grad(), using(self._threads):
            return self._place.call(self.wide, args)
