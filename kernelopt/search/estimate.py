"""What a search may cost, before anything is asked. A model estimate, not a measurement."""

from __future__ import annotations

from dataclasses import dataclass

from kernelopt.search.plan import Plan

GUIDE_TOKENS, REPLY_TOKENS, FEEDBACK_TOKENS = 1200, 1500, 1500
"""Rough sizes: the language guide, a kernel, the feedback on one. Four characters make a token."""
FREE = ("builtin", "replay:", "files:")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Upper bounds, given the budget of evaluations."""

    calls: int
    tokens_in: int
    tokens_out: int
    cost: str
    """In words, because a price can be unknown."""


def estimate(plan: Plan) -> Estimate:
    """Calls and tokens of both models if the whole budget of evaluations is used."""
    evaluations = plan.budget.evaluations
    if evaluations is None:
        return Estimate(0, 0, 0, "bounded by the budget alone")
    per_rollout = plan.refinements + 1
    reflections = evaluations // max(plan.minibatch, 1)
    calls = evaluations * per_rollout + reflections
    task_tokens = sum(len(task.source) for task in plan.tasks) // (4 * len(plan.tasks))
    prompt = GUIDE_TOKENS + task_tokens + (REPLY_TOKENS + FEEDBACK_TOKENS) * plan.refinements // per_rollout
    reflection = plan.minibatch * (task_tokens + REPLY_TOKENS + FEEDBACK_TOKENS)
    tokens_in = evaluations * per_rollout * prompt + reflections * reflection
    tokens_out = calls * REPLY_TOKENS
    return Estimate(calls, tokens_in, tokens_out, _cost(plan, tokens_in, tokens_out))


def _cost(plan: Plan, tokens_in: int, tokens_out: int) -> str:
    """At the task model's list price, where one is known without asking anyone."""
    if plan.lm.startswith(FREE) and plan.reflection_lm.startswith(FREE):
        return "nothing"
    from kernelopt.lms._provider import price

    known = price(plan.lm)
    if known is None:
        return f"unknown: there is no list price for {plan.lm}"
    return f"about ${tokens_in * known[0] + tokens_out * known[1]:.2f} at the list price of {plan.lm}"
