"""A small run with one of everything that readers must cope with."""

import dataclasses

from kernelopt.evaluation import Build, Check, Evaluation, Profile, Speedup, Stage, Status, Timing, to_json
from kernelopt.store.run import create_run

SEED, CHILD, MERGED, REJECTED = "5eed" * 4, "c41d" * 4, "3e46" * 4, "bad0" * 4
COMPILE_ONLY = "compile only: not run, not checked, not timed"
SOURCE = "class ModelNew: ...  # the winner of 1/1\n"
MANIFEST = {
    "suite": {"suite": "kernelbench-core", "official": False, "tasks": 5, "detail": "bundled"},
    "language": "cpp",
    "device": "cpu",
    "isolation": "process",
    "mode": "search",
    "machine": {"cpu": "2 cores", "compiler": "g++ 12"},
    "models": {"lm": "builtin", "reflection_lm": "builtin"},
    "tasks": [
        {"id": "1/1", "slug": "1-1", "name": "1_Softmax"},
        {"id": "1/2", "slug": "1-2", "name": "2_Matmul"},
        {"id": "1/3", "slug": "1-3", "name": "3_Norm"},
        {"id": "2/1", "slug": "2-1", "name": "1_Huge"},
        {"id": "1/4", "slug": "1-4", "name": "4_Conv"},
    ],
}


def passed(task_id, kernel, low, median, high, **changes):
    """A correct evaluation; times follow from the median."""
    timing = Timing(
        "given/1", candidate_ms=4.0 / median, reference_ms=4.0, speedup=Speedup(median, low, high)
    )
    base = Evaluation(
        task_id,
        "kernelbench-core",
        kernel,
        "cpp",
        "cpu",
        "process",
        Status.PASSED,
        Stage.DONE,
        build=Build("g++", "", 0.4, False),
        checks=(Check("given/1", Status.PASSED, 1e-6, 1e-5, 2e-7, 1e-5, 1e-4),),
        timing=timing,
        environment={"torch": "2.13.0"},
        seconds=1.5,
    )
    return dataclasses.replace(base, **changes)


def failed(task_id, kernel, status, stage, reason):
    """An evaluation that stopped early."""
    return passed(task_id, kernel, 1, 1, 1, status=status, stage=stage, reason=reason, timing=None, checks=())


def untimed(task_id, kernel):
    """Right in Triton's interpreter, which has no clock."""
    note = "right on the CPU, in Triton's interpreter; not timed"
    return passed(task_id, kernel, 1, 1, 1, device="interpreter", timing=None, reason=note)


def compiled(task_id, kernel, spilled, clean):
    """Compiled only: what the compilers say, no run."""
    used = {"registers": 40.0, "spill_store_bytes": 8.0 * spilled, "spill_load_bytes": 0.0}
    static = {"kernels": 1.0, "spilled": float(spilled), "clean": clean}
    return passed(
        task_id,
        kernel,
        1,
        1,
        1,
        device="compiler",
        status=Status.COMPILED,
        stage=Stage.BUILD,
        reason=COMPILE_ONLY,
        timing=None,
        checks=(),
        profiles=(Profile("ptxas", used, "f"), Profile("static", static, "spills" if spilled else "")),
    )


def small(root, evaluations, device, conditions=None):
    """A finished run with these evaluations, one rollout of the seed prompt each."""
    told = {"conditions": conditions} if conditions else {}
    with create_run(root, "small", {**MANIFEST, "device": device, **told}) as run:
        for one in evaluations:
            slug = one.task_id.replace("/", "-")
            run.journal.append("evaluation", f"{slug}:{one.kernel_hash}", {**to_json(one), "source": "x"})
            rollout(run.journal.append, SEED, slug, [attempt(one)])
        run.journal.append("candidate", "0", candidate(0, SEED, "seed", [], {}))
        return run.folder


def attempt(evaluation, step="generate", score=0.5, cached=False):
    """A rollout's short form of an evaluation."""
    speedup = dataclasses.asdict(evaluation.speedup) if evaluation.speedup else None
    return {
        "kernel": evaluation.kernel_hash,
        "step": step,
        "status": str(evaluation.status),
        "stage": str(evaluation.stage),
        "score": score,
        "speedup": speedup,
        "cached": cached,
        "reason": evaluation.reason,
    }


NO_KERNEL = {
    "kernel": None,
    "step": "generate",
    "status": "NO_KERNEL",
    "stage": "extract",
    "score": 0.0,
    "speedup": None,
    "cached": False,
    "reason": "the reply holds no code",
}
SLOW = passed("1/1", "k-slow", 0.40, 0.50, 0.60)
FAST = passed("1/1", "k-fast", 2.30, 2.50, 2.70)
AGAIN = passed("1/1", "k-fast", 2.05, 2.20, 2.30)
LUCKY = passed("1/1", "k-lucky", 0.10, 9.90, 30.0)
MATMUL = passed("1/2", "k-matmul", 0.95, 1.05, 1.15)
NO_BUILD = failed("1/3", "k-nobuild", Status.BUILD_FAILED, Stage.BUILD, "g++ failed: no member named 'x'")
WRONG = failed("1/3", "k-wrong", Status.WRONG_VALUE, Stage.CHECK, "only elements in the tail are wrong")


def candidate(index, digest, how, parents, scores):
    """A pool entry."""
    return {
        "index": index,
        "hash": digest,
        "parts": {"generate": f"Prompt {index}."},
        "parents": parents,
        "how": how,
        "scores": scores,
        "iteration": index,
    }


def call(cost_usd, **more):
    """A language-model call."""
    completion = {"text": "…", "tokens_in": 100, "tokens_out": 50, "cost_usd": cost_usd, **more}
    return {"role": "task", "system": "s", "user": "u", "completion": completion}


def begin(root, name="sample", manifest=MANIFEST):
    """The run in the middle of its work, open for writing."""
    run = create_run(root, name, manifest)
    add = run.journal.append
    add("session", "1", {"action": "start", "reason": "", "budget": {"evaluations": 40}})
    add("skip", "2-1", {"reason": "its inputs would not fit into memory", "bytes": 17_200_000_000})
    add("lm", "a", call(0.25))
    for evaluation in (SLOW, FAST, LUCKY, MATMUL, NO_BUILD, WRONG):
        source = run.artifacts.put(SOURCE if evaluation is FAST else f"# {evaluation.kernel_hash}\n")
        key = f"{evaluation.task_id.replace('/', '-')}:{evaluation.kernel_hash}"
        add("evaluation", key, {**to_json(evaluation), "source": source})
    rollout(add, SEED, "1-1", [NO_KERNEL, attempt(SLOW, "refine-1")])
    rollout(add, SEED, "1-2", [NO_KERNEL])
    rollout(add, SEED, "1-3", [attempt(NO_BUILD, score=0.05)])
    add("candidate", "0", candidate(0, SEED, "seed", [], {"1-1": 0.3, "1-2": 0.0, "1-3": 0.05}))
    return run


def rollout(add, digest, slug, attempts):
    """What one candidate did on one task."""
    best = max(a["score"] for a in attempts)
    record = {"candidate": digest, "task": slug, "score": best, "kernel": None, "attempts": attempts}
    add("rollout", f"{digest}:{slug}", {**record, "objectives": {}, "cost_usd": 0.0, "seconds": 1.0})


def finish(run):
    """The rest of the run: two more candidates, one rejected proposal, the winner measured again."""
    add = run.journal.append
    add("lm", "b", call(0.5))
    rollout(add, CHILD, "1-1", [attempt(FAST, score=0.8), attempt(LUCKY, "refine-1")])
    rollout(add, CHILD, "1-3", [attempt(NO_BUILD, score=0.05, cached=True), attempt(WRONG, "refine-1", 0.2)])
    rollout(add, REJECTED, "1-2", [attempt(MATMUL, score=0.55)])
    add("proposal", "1", {"iteration": 1, "accepted": True, "candidate": CHILD})
    add("proposal", "2", {"iteration": 2, "accepted": False, "candidate": REJECTED})
    add("candidate", "1", candidate(1, CHILD, "reflection", [0], {"1-1": 0.8, "1-2": 0.0, "1-3": 0.2}))
    add("candidate", "2", candidate(2, MERGED, "merge", [0, 1], {"1-1": 0.7, "1-2": 0.5, "1-3": 0.2}))
    add("iteration", "1", {"iteration": 1, "evaluations": 9, "cost_usd": 0.75, "elapsed_s": 9.0})
    add("remeasure", f"1-1:{AGAIN.kernel_hash}", to_json(AGAIN))
    run.write_kernel("1-1", SOURCE)
    add("session", "2", {"action": "stop", "reason": "the budget of 40 evaluations is spent", "budget": {}})
    return run


def make(root, name="sample"):
    """A finished run in `root`; returns its folder."""
    with finish(begin(root, name)) as run:
        return run.folder
