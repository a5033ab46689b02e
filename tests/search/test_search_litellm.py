"""A whole search through litellm against a local OpenAI-compatible server that misbehaves first."""

import pytest
from openai_stub import answer as reply_with
from openai_stub import error, serve
from small_suite import answer

from kernelopt.evaluation import Status
from kernelopt.lms import LMOptions
from kernelopt.report.fold import view
from kernelopt.search.run import start
from kernelopt.search.watch import Watch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("litellm"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings(r"ignore:(?s).*`ReadOnly` qualifier:UserWarning"),
]


def helpful(request):
    return reply_with(answer("\n".join(message["content"] for message in request.body["messages"])))


def test_a_search_survives_what_servers_do(make_plan, tmp_path, monkeypatch):
    """429, 500, a time-out, a truncated and an empty reply: each costs a call or a rollout, not the run."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as stub:
        stub.script = [
            error(429, Retry_After="0"),
            error(500),
            reply_with("never read", hold_s=4.0),
            reply_with("```python\nclass ModelNew:", finish_reason="length"),
            reply_with(""),
            *[helpful] * 200,
        ]
        options = LMOptions(base_url=stub.url, timeout_s=2.0, backoff_s=0.01)
        plan = make_plan(lm="openai/stub", reflection_lm="openai/stub", lm_options=options)
        with start(plan, tmp_path / "runs", "served", Watch()) as run:
            found = view(run)
            everything = b"".join(p.read_bytes() for p in run.folder.rglob("*") if p.is_file())
        asked = len(stub.requests)
    attempts = [attempt for task in found.tasks for attempt in task.attempts]
    reasons = " ".join(attempt.reason for attempt in attempts if attempt.status == Status.NO_KERNEL)
    assert "cut off" in reasons and "empty" in reasons
    assert found.budget.rollouts == 12
    assert asked == found.budget.lm_calls + 3  # the three calls that had to be repeated
    assert found.budget.tokens_in == 10 * found.budget.lm_calls
    assert Status.PASSED in {task.status for task in found.tasks}
    assert b"sk-test" not in everything
