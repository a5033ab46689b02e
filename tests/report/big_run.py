"""A run of any size that looks like a real one, written through the store's own writer.

Nothing in it was measured: kernels, times and failures are drawn from a seeded generator. It is for
looking at reports and for measuring how long they take.
"""

import dataclasses
import math
import random
import re
from types import SimpleNamespace
from unittest import mock

from kernelopt.evaluation import (
    Build,
    Check,
    Evaluation,
    Profile,
    Speedup,
    Stage,
    Status,
    Timing,
    to_json,
)
from kernelopt.store.run import create_run

NAMES = re.findall(
    r"\w+",
    """
    Softmax LayerNorm Matmul Conv2d_ReLU GELU Cumsum MaxPool RMSNorm Attention Batched_Matmul Huber_loss
    Mean_reduction Depthwise_conv Group_norm Swiglu Linear_bias Transpose Triplet_loss Argmax Conv3d
""",
)
BYTES_PER_S, FLOPS_PER_S = 1.7e10, 1.9e11
_SEED_PROMPT = """Write one C++ function and bind it with load_inline.
Keep the signature of the reference.
Check the shapes of the inputs before you read them.
Allocate the output once."""
_ADVICE = (
    "Split the outermost loop over threads with at::parallel_for.",
    "Accumulate in several float lanes, so that the compiler can vectorise the reduction.",
    "Fuse elementwise steps into the loop that produces their input.",
    "Read each input once; keep row maxima and sums in registers.",
    "Tile the columns so that a tile stays in the L2 cache.",
    "Hoist divisions out of inner loops; multiply by the reciprocal.",
    "Mark pointers as restrict and let inner loops run over contiguous memory.",
    "Handle the tail apart from the main loop.",
)
_FAILURES = (
    (Status.NO_KERNEL, Stage.EXTRACT, "the reply holds no code"),
    (Status.BUILD_FAILED, Stage.BUILD, "g++ failed: 'restrict' does not name a type"),
    (Status.CRASHED, Stage.RUN, "the kernel's process died of signal 11"),
    (Status.WRONG_VALUE, Stage.CHECK, "only elements in the tail of the last axis are wrong"),
    (Status.WRONG_SHAPE, Stage.CHECK, "the output has shape [64, 1], not [64]"),
    (Status.TIMED_OUT, Stage.RUN, "no answer within 60 s"),
)
_BODY = """    at::parallel_for(0, rows, {grain}, [&](int64_t begin, int64_t end) {{
        for (int64_t r = begin; r < end; ++r) {{
            const float* in{n} = x + r * cols;
            float* out{n} = y + r * cols;
            float lanes{n}[8] = {{0.0f}};
            for (int64_t c = 0; c + 8 <= cols; c += 8)
                for (int l = 0; l < 8; ++l) lanes{n}[l] += in{n}[c + l] * {factor}f;  // step {n}
            out{n}[0] = lanes{n}[0];
        }}
    }});
"""


def kernel_source(rng, name, steps):
    """A module of roughly 40 + 10 lines a step, as a model would hand it in."""
    bodies = "".join(
        _BODY.format(n=n, grain=rng.choice((1, 4, 16, 64)), factor=round(rng.random(), 4))
        for n in range(steps)
    )
    return (
        f'"""{name}: one pass over each row."""\n\nimport torch\nimport torch.nn as nn\n'
        'from torch.utils.cpp_extension import load_inline\n\nSOURCE = r"""\n#include <torch/extension.h>\n'
        "#include <ATen/Parallel.h>\n\nat::Tensor forward(at::Tensor input) {\n"
        "    TORCH_CHECK(input.is_contiguous());\n    auto output = at::empty_like(input);\n"
        "    const int64_t cols = input.size(-1), rows = input.numel() / cols;\n"
        "    const float* x = input.data_ptr<float>();\n    float* y = output.data_ptr<float>();\n"
        f'{bodies}    return output;\n}}\n"""\n\n'
        'ext = load_inline(name="k", cpp_sources=SOURCE, functions=["forward"])\n\n\n'
        "class ModelNew(nn.Module):\n    def forward(self, x: torch.Tensor) -> torch.Tensor:\n"
        "        return ext.forward(x.contiguous())\n"
    )


class _Clock:
    """Stands in for `time`: every event comes a little after the one before."""

    def __init__(self, step_s):
        self.step_ns, self.now_ns = int(step_s * 1e9), 1_800_000_000 * 10**9

    def time_ns(self):
        self.now_ns += self.step_ns
        return self.now_ns


class _Maker:
    """Draws rollouts and writes them, as a search would."""

    def __init__(self, run, tasks, seed, price):
        self.run, self.rng, self.price = run, random.Random(seed), price
        self.tasks, self.count, self.best = tasks, 0, {}
        self.hard = {t["slug"]: self.rng.gauss(0.1, 0.75) for t in tasks}
        self.intensity = {t["slug"]: 10 ** self.rng.uniform(-1.0, 1.9) for t in tasks}
        self.bytes = {t["slug"]: 10 ** self.rng.uniform(6.5, 8.3) for t in tasks}

    def roof_ms(self, slug):
        moved = self.bytes[slug]
        return 1e3 * max(moved / BYTES_PER_S, moved * self.intensity[slug] / FLOPS_PER_S)

    def lm(self, role, key, text):
        self.count += 1
        answer = {
            "text": text,
            "tokens_in": self.rng.randint(1500, 5000),
            "tokens_out": len(text) // 4,
            "cost_usd": self.price * self.rng.uniform(0.5, 1.5) * (3 if role == "reflection" else 1),
            "priced": True,
            "model": "synthetic",
            "seconds": self.rng.uniform(4, 30),
        }
        record = {"role": role, "system": "s", "user": "u" * 2000, "completion": answer}
        self.run.journal.append("lm", f"{key}-{self.count}", record)

    def rollout(self, digest, skill, task):
        slug, attempts, best = task["slug"], [], 0.0
        for number in range(self.rng.choice((1, 2, 3))):
            step = f"refine-{number}" if number else "generate"
            attempts.append(self.attempt(digest, skill + 0.25 * number, task, step))
            best = max(best, attempts[-1]["score"])
            if attempts[-1]["kernel"] is None:
                break
        record = {"candidate": digest, "task": slug, "score": best, "kernel": None, "attempts": attempts}
        self.run.journal.append(
            "rollout", f"{digest}:{slug}", {**record, "objectives": {}, "cost_usd": 0.0, "seconds": 20.0}
        )
        return best

    def attempt(self, digest, skill, task, step):
        rng, slug = self.rng, task["slug"]
        source = kernel_source(rng, task["name"], rng.randint(2, 8))
        self.lm("task", f"{digest}:{slug}/{step}", source)
        kernel = f"{rng.getrandbits(64):016x}"
        if rng.random() < 0.75 / (1.0 + math.exp(1.2 * skill)) + 0.08:
            status, stage, reason = rng.choice(_FAILURES)
            if status is Status.NO_KERNEL:
                return self.short(None, status, stage, 0.0, None, reason, step)
            evaluation = self.failed(task, kernel, status, stage, reason)
            score = 0.1 if stage is Stage.CHECK else 0.05 if stage is Stage.RUN else 0.0
        else:
            evaluation = self.passed(task, kernel, skill)
            score = 0.25 + 0.75 * evaluation.speedup.median / (evaluation.speedup.median + 2.0)
            low = evaluation.speedup.ci95_low
            if slug not in self.best or low > self.best[slug].speedup.ci95_low:
                self.best[slug] = evaluation
        data = {**to_json(evaluation), "source": self.run.artifacts.put(source)}
        self.run.journal.append("evaluation", f"{slug}:{kernel}", data)
        speedup = dataclasses.asdict(evaluation.speedup) if evaluation.speedup else None
        return self.short(
            kernel, evaluation.status, evaluation.stage, score, speedup, evaluation.reason, step
        )

    @staticmethod
    def short(kernel, status, stage, score, speedup, reason, step):
        return {
            "kernel": kernel,
            "step": step,
            "status": str(status),
            "stage": str(stage),
            "score": score,
            "speedup": speedup,
            "cached": False,
            "reason": reason,
        }

    def failed(self, task, kernel, status, stage, reason):
        log = "kernel.cpp:12:5: error: 'restrict' does not name a type\n" * 12 if stage is Stage.BUILD else ""
        build = Build("g++ -O3 kernel.cpp", log, self.rng.uniform(0.5, 9.0), False)
        return Evaluation(
            task["id"], "kernelbench-core", kernel, "cpp", "cpu", "bwrap", status, stage, reason, build=build,
            environment={"torch": "2.13.0"}, seconds=self.rng.uniform(2, 12),
        )  # fmt: skip

    def passed(self, task, kernel, skill):
        rng, slug = self.rng, task["slug"]
        moved, flops = self.bytes[slug], self.bytes[slug] * self.intensity[slug]
        roof = self.roof_ms(slug)
        reference = roof * math.exp(abs(self.hard[slug]) + 0.7)
        wanted = math.exp(0.45 * skill - 0.5 + 0.5 * self.hard[slug] + rng.gauss(0, 0.4))
        median = min(wanted, 0.96 * reference / roof)
        half, ms = rng.uniform(1.02, 1.25), reference / median
        roofline = {
            "roof_ms": roof,
            "memory_ms": 1e3 * moved / BYTES_PER_S,
            "compute_ms": 1e3 * flops / FLOPS_PER_S,
            "fraction": roof / ms,
            "bytes_moved": moved,
            "flops": flops,
            "gb_per_s": moved / ms / 1e6,
            "gflop_per_s": flops / ms / 1e6,
        }
        timing = Timing(
            "given/1", ms, reference, Speedup(median, median / half, median * half), rounds=60, pairs=3,
            candidate_samples_ms=tuple(ms * rng.lognormvariate(0, 0.06) for _ in range(60)),
            reference_samples_ms=tuple(reference * rng.lognormvariate(0, 0.05) for _ in range(60)),
        )  # fmt: skip
        less = median / 1.3
        rival = dataclasses.replace(
            timing, baseline="compile", speedup=Speedup(less, less / half, less * half),
            candidate_samples_ms=(), reference_samples_ms=(),
        )  # fmt: skip
        checks = tuple(
            Check(f"normal/{i}", Status.PASSED, 1e-6 * i, 1e-5, 2e-7, 1e-5, 1e-4) for i in range(1, 6)
        )
        notes = Profile(
            "gcc-vectorizer", {"loops": 3.0, "loops_vectorized": 2.0}, "k.cpp:14: loop vectorized"
        )
        return Evaluation(
            task["id"], "kernelbench-core", kernel, "cpp", "cpu", "bwrap", Status.PASSED, Stage.DONE,
            build=Build("g++ -O3 kernel.cpp", "", rng.uniform(0.5, 9.0), False), checks=checks, timing=timing,
            baselines=(rival,), profiles=(Profile("roofline", roofline, "bandwidth-bound"), notes),
            environment={"torch": "2.13.0"}, seconds=rng.uniform(4, 20),
        )  # fmt: skip


def make(root, name="big", tasks=250, rollouts=2000, seed=1, price=0.004):
    """A finished run; returns its folder."""
    places = [(1 + i % 3, 1 + i // 3, NAMES[i % 20]) for i in range(tasks)]
    listed = [{"id": f"{a}/{b}", "slug": f"{a}-{b}", "name": f"{b}_{name}"} for a, b, name in places]
    listed.sort(key=lambda task: tuple(map(int, task["id"].split("/"))))
    manifest = {
        "suite": {"suite": "synthetic", "official": False, "tasks": tasks, "detail": "invented figures"},
        "language": "cpp",
        "device": "cpu",
        "isolation": "bwrap",
        "mode": "search",
        "machine": {"cpu": "none: every figure is invented"},
        "models": {"lm": "synthetic", "reflection_lm": "synthetic"},
        "tasks": listed,
    }
    clock = _Clock(step_s=2.5)
    with create_run(root, name, manifest) as run, mock.patch("kernelopt.store.journal.time", clock):
        run.journal.append("session", "0", {"action": "start", "reason": "", "budget": {}})
        maker = _Maker(run, listed, seed, price)
        _search(run, maker, listed, rollouts)
        for slug, best in maker.best.items():
            run.journal.append("remeasure", f"{slug}:{best.kernel_hash}", to_json(best))
        run.journal.append("session", "1", {"action": "stop", "reason": "the budget is spent", "budget": {}})
        return run.folder


def _search(run, maker, tasks, rollouts):
    """The seed over all tasks, then children of good candidates until the budget is spent."""
    rng, pool, used, iteration = maker.rng, [], 0, 0
    while used < rollouts:
        child = _child(rng, pool, iteration)
        chosen = tasks if len(pool) < 1 else rng.sample(tasks, min(4, len(tasks)))
        if pool and rng.random() > 0.3:
            maker.lm("reflection", child.hash, "\n".join(child.parts["generate"].splitlines()))
        if pool and rng.random() < 0.35:
            for task in chosen:
                maker.rollout(child.hash, child.skill - 1.5, task)
            used += len(chosen)
            _reject(run, child, iteration)
            iteration += 1
            continue
        full = tasks[: max(len(chosen), min(len(tasks), rollouts - used))]
        scores = {task["slug"]: maker.rollout(child.hash, child.skill, task) for task in full}
        used += len(full)
        _accept(run, child, len(pool), iteration, scores)
        pool.append(child)
        iteration += 1


def _child(rng, pool, iteration):
    digest = f"{rng.getrandbits(64):016x}"
    if not pool:
        return SimpleNamespace(
            hash=digest,
            how="seed",
            parents=[],
            skill=-1.2,
            parts={"generate": _SEED_PROMPT, "refine": "Mend it."},
        )
    merge = len(pool) > 3 and rng.random() < 0.2
    parents = sorted(rng.sample(range(max(0, len(pool) - 5), len(pool)), 2 if merge else 1))
    first = pool[parents[0]]
    lines = first.parts["generate"].splitlines()
    if len(lines) > 5 and rng.random() < 0.4:
        lines.pop(rng.randrange(4, len(lines)))
    lines.append(rng.choice(_ADVICE))
    return SimpleNamespace(
        hash=digest,
        how="merge" if merge else "reflection",
        parents=parents,
        skill=max(pool[p].skill for p in parents) + rng.uniform(-0.1, 0.7),
        parts={**first.parts, "generate": "\n".join(lines)},
    )


def _accept(run, child, index, iteration, scores):
    run.journal.append(
        "candidate",
        str(index),
        {
            "index": index,
            "hash": child.hash,
            "parts": child.parts,
            "parents": child.parents,
            "how": child.how,
            "scores": scores,
            "iteration": iteration,
        },
    )
    if index:
        run.journal.append("proposal", f"{iteration}-{child.how}", {"iteration": iteration, "accepted": True})


def _reject(run, child, iteration):
    run.journal.append(
        "proposal",
        f"{iteration}-{child.how}",
        {
            "iteration": iteration,
            "accepted": False,
            "parents": child.parents,
            "components": ["generate"],
            "candidate": child.hash,
            "before": 0.41,
            "after": 0.39,
            "reason": "no better on the minibatch",
        },
    )
