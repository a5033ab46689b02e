"""LMs behind litellm, against a real HTTP server on the loopback that misbehaves on request."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_stub import Reply, Stub, answer, error, serve

from kernelopt.errors import LMError
from kernelopt.lms import LMOptions, Prompt
from kernelopt.lms._failure import Failure, _retry_after_s
from kernelopt.lms.litellm import LiteLLM
from kernelopt.testing import LMContract

# One worker imports litellm, once. Its sockets and loops are collected whenever Python likes. pytest undoes
# the filters that the client sets on importing it, so they are repeated here.
pytestmark = [
    pytest.mark.xdist_group("litellm"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings(r"ignore:(?s).*`ReadOnly` qualifier:UserWarning"),
]

KEY = "sk-test-0123456789abcdef"
PROMPT = Prompt("be brief", "write a kernel")


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serve() as running:
        yield running


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)


def model(stub: Stub, name: str = "openai/stub", **settings: object) -> LiteLLM:
    quick = {"timeout_s": 20.0, "backoff_s": 0.01, "max_attempts": 3, **settings}
    return LiteLLM(name, LMOptions(base_url=stub.url, **quick))


class TestContract(LMContract):
    @pytest.fixture
    def lm(self, stub: Stub) -> LiteLLM:
        return model(stub)

    @pytest.fixture
    def answers(self) -> dict[Prompt, str]:
        return {Prompt("s", text): text[::-1] for text in ("one", "two", "three", "four", "five")}


class TestRequest:
    def test_sends_both_parts_of_the_prompt(self, stub: Stub) -> None:
        model(stub).complete(PROMPT)
        assert stub.requests[0].body["messages"] == [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "write a kernel"},
        ]

    def test_leaves_an_empty_system_prompt_out(self, stub: Stub) -> None:
        model(stub).complete(Prompt("", "hello"))
        assert [message["role"] for message in stub.requests[0].body["messages"]] == ["user"]

    def test_sends_sampling_settings_that_were_set(self, stub: Stub) -> None:
        model(stub, temperature=0.25, seed=7, max_tokens=99).complete(PROMPT)
        body = stub.requests[0].body
        assert (body["temperature"], body["seed"], body["max_tokens"]) == (0.25, 7, 99)

    def test_leaves_unset_sampling_settings_to_the_provider(self, stub: Stub) -> None:
        model(stub).complete(PROMPT)
        assert not {"temperature", "seed"} & set(stub.requests[0].body)

    def test_drops_settings_that_the_model_refuses(self, stub: Stub) -> None:
        model(stub, "openai/o1", temperature=0.25).complete(PROMPT)
        assert "temperature" not in stub.requests[0].body

    @pytest.mark.parametrize("name", ["stub", "some-org/Some-Model-7B"])
    def test_a_name_without_provider_goes_to_the_base_url_as_it_is(self, stub: Stub, name: str) -> None:
        lm = model(stub, name)
        lm.complete(PROMPT)
        assert stub.requests[0].body["model"] == name
        assert lm.name == name

    def test_a_server_of_ones_own_needs_no_key(self, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENAI_API_KEY")
        assert model(stub).complete(PROMPT).finish_reason == "stop"

    def test_the_key_comes_from_the_environment(self, stub: Stub) -> None:
        model(stub).complete(PROMPT)
        assert stub.requests[0].authorization == f"Bearer {KEY}"


class TestCompletion:
    def test_counts_tokens_and_attempts(self, stub: Stub) -> None:
        done = model(stub).complete(PROMPT)
        assert (done.tokens_in, done.tokens_out, done.attempts, done.model) == (10, 5, 1, "stub")

    def test_prices_a_model_with_a_known_price(self, stub: Stub) -> None:
        done = model(stub, "openai/gpt-4o").complete(PROMPT)
        assert done.priced
        assert 0 < done.cost_usd < 0.01

    def test_says_when_the_price_is_unknown(self, stub: Stub) -> None:
        done = model(stub).complete(PROMPT)
        assert (done.cost_usd, done.priced) == (0.0, False)

    def test_says_that_a_reply_without_token_counts_has_no_price(self, stub: Stub) -> None:
        bare = answer("hi")
        del bare.body["usage"]
        stub.script = [bare]
        assert not model(stub, "openai/gpt-4o").complete(PROMPT).priced

    def test_a_truncated_reply_is_an_answer(self, stub: Stub) -> None:
        stub.script = [answer("half a ker", "length")]
        done = model(stub).complete(PROMPT)
        assert (done.text, done.finish_reason) == ("half a ker", "length")

    @pytest.mark.parametrize("text", ["", "  \n", None])
    def test_an_empty_reply_is_an_answer(self, stub: Stub, text: str | None) -> None:
        stub.script = [answer(text)]
        done = model(stub).complete(PROMPT)
        assert done.finish_reason == "empty"
        assert len(stub.requests) == 1

    def test_a_reply_spent_on_thinking_says_that_it_was_cut(self, stub: Stub) -> None:
        stub.script = [answer("", "length")]
        assert model(stub).complete(PROMPT).finish_reason == "length"

    @pytest.mark.parametrize(
        ("message", "code", "reason"),
        [
            ("This model's maximum context length is 4097 tokens", None, "prompt_too_long"),
            ("rejected", "content_policy_violation", "content_filter"),
        ],
    )
    def test_a_prompt_that_is_rejected_for_what_it_is_ends_no_run(
        self, stub: Stub, message: str, code: str | None, reason: str
    ) -> None:
        stub.script = [error(400, message, code)]
        done = model(stub).complete(PROMPT)
        assert (done.text, done.finish_reason) == ("", reason)


class TestRetries:
    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
    def test_asks_again_after_a_passing_failure(self, stub: Stub, status: int) -> None:
        stub.script = [error(status), error(status), answer("done")]
        done = model(stub).complete(PROMPT)
        assert (done.text, done.attempts, len(stub.requests)) == ("done", 3, 3)

    @pytest.mark.parametrize(
        "bad",
        [
            Reply(None, drop=True),
            Reply(b"{not json"),
            Reply(b"<html>gateway</html>", 502),
            Reply({"id": "1", "choices": []}),
        ],
        ids=["dropped", "not-json", "html", "no-choices"],
    )
    def test_asks_again_after_a_mangled_reply(self, stub: Stub, bad: Reply) -> None:
        stub.script = [bad, answer("done")]
        assert model(stub).complete(PROMPT).attempts == 2

    def test_asks_again_after_a_time_out(self, stub: Stub) -> None:
        stub.script = [answer("late", hold_s=30)]
        done = model(stub, timeout_s=0.5).complete(Prompt("", "abc"))
        assert (done.text, done.attempts) == ("cba", 2)

    def test_waits_as_long_as_the_provider_asks(self, stub: Stub) -> None:
        stub.script = [error(429, Retry_After="0.4")]
        model(stub).complete(PROMPT)
        first, second = stub.requests
        assert second.arrived_s - first.arrived_s >= 0.4

    def test_gives_up_at_once_where_the_provider_asks_for_an_hour(self, stub: Stub) -> None:
        stub.script = [error(429, Retry_After="3600")]
        with pytest.raises(LMError, match=r"pause of 3600 s"):
            model(stub).complete(PROMPT)

    def test_gives_up_after_the_last_attempt_with_the_last_cause(self, stub: Stub) -> None:
        stub.script = [error(500, "first"), error(500, "second"), error(503, "third")]
        with pytest.raises(LMError, match=r"^openai/stub did not answer in 3 attempts; .*HTTP 503.*third"):
            model(stub).complete(PROMPT)
        assert len(stub.requests) == 3

    def test_a_server_that_is_not_there_is_one_line(self) -> None:
        with serve() as stub:
            gone = model(stub, max_attempts=2)
        with pytest.raises(LMError, match=r"in 2 attempts.*Connection error") as caught:
            gone.complete(PROMPT)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
    def test_asks_only_once_where_asking_again_cannot_help(self, stub: Stub, status: int) -> None:
        stub.script = [error(status)]
        with pytest.raises(LMError, match=rf"^openai/stub cannot be used: .*HTTP {status}"):
            model(stub).complete(PROMPT)
        assert len(stub.requests) == 1

    def test_a_spent_quota_is_no_rate_limit(self, stub: Stub) -> None:
        stub.script = [error(429, "You exceeded your current quota", "insufficient_quota")]
        with pytest.raises(LMError, match="quota is spent"):
            model(stub).complete(PROMPT)
        assert len(stub.requests) == 1

    def test_an_interrupt_ends_a_long_wait(self, stub: Stub) -> None:
        stub.script = [error(429, Retry_After="500")]
        lm = model(stub)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(lm.complete, PROMPT)
            assert stub.asked.wait(60)
            lm.interrupt()
            with pytest.raises(LMError, match="interrupted"):
                waiting.result(timeout=60)
        assert len(stub.requests) == 1

    @given(st.integers(1, 40), st.floats(0, 100), st.floats(0, 500) | st.none())
    def test_waits_stay_bounded_and_never_undercut_the_provider(
        self, attempt: int, backoff_s: float, retry_after_s: float | None
    ) -> None:
        wait_s = Failure("x", transient=True, retry_after_s=retry_after_s).wait_s(attempt, backoff_s)
        assert (retry_after_s or 0.0) <= wait_s <= max(75.0, retry_after_s or 0.0)

    def test_waits_grow(self) -> None:
        failure = Failure("x", transient=True)
        assert failure.wait_s(1, 1.0) < failure.wait_s(3, 1.0) < failure.wait_s(5, 1.0)

    def test_reads_a_retry_date(self) -> None:
        wait_s = _retry_after_s({"retry-after": formatdate(time.time() + 100, usegmt=True)})
        assert wait_s is not None
        assert 50 < wait_s <= 100

    @pytest.mark.parametrize("text", ["soon", "", "Mon, 99"])
    def test_ignores_a_retry_header_that_says_nothing(self, text: str) -> None:
        assert _retry_after_s({"retry-after": text}) is None


class TestConcurrency:
    def test_keeps_to_the_limit(self, stub: Stub) -> None:
        stub.script = [answer("x", hold_s=0.1) for _ in range(9)]
        lm = model(stub, max_concurrency=3)
        with ThreadPoolExecutor(9) as pool:
            done = list(pool.map(lm.complete, [Prompt("", str(n)) for n in range(9)]))
        assert len(done) == 9
        assert 1 < stub.peak <= 3

    def test_a_pause_between_attempts_holds_no_slot(self, stub: Stub) -> None:
        stub.script = [error(429, Retry_After="500")]
        lm = model(stub, max_concurrency=1)
        stuck = threading.Thread(target=_swallow, args=(lm,))
        stuck.start()
        assert stub.asked.wait(60)
        assert lm.complete(Prompt("", "abc")).text == "cba"
        lm.interrupt()
        stuck.join()


def _swallow(lm: LiteLLM) -> None:
    with pytest.raises(LMError):
        lm.complete(PROMPT)


class TestSecrecy:
    """A server that quotes the key back at us, everywhere it can."""

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
    @pytest.mark.parametrize("quoted", [KEY, "sk-test-********cdef"], ids=["whole", "starred"])
    def test_no_error_repeats_the_key(
        self,
        stub: Stub,
        status: int,
        quoted: str,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        stub.script = [error(status, f"Incorrect API key provided: {quoted}\nsee {quoted}") for _ in range(3)]
        with pytest.raises(LMError) as caught:
            model(stub).complete(PROMPT)
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("kernelopt")]
        assert quoted not in "\n".join([repr(caught.value), *ours])
        assert KEY not in caplog.text + "".join(capfd.readouterr())
        assert "\n" not in str(caught.value)

    def test_no_error_carries_the_original_along(self, stub: Stub) -> None:
        stub.script = [error(400, KEY)]
        with pytest.raises(LMError) as caught:
            model(stub).complete(PROMPT)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None

    def test_a_reply_that_quotes_the_key_is_blotted(self, stub: Stub) -> None:
        stub.script = [answer(f"I was sent {KEY}, ha")]
        assert model(stub).complete(PROMPT).text == "I was sent [key removed], ha"

    def test_long_errors_are_cut_after_the_key_is_removed(self, stub: Stub) -> None:
        stub.script = [error(400, "x" * 200 + KEY + "y" * 4000)]
        with pytest.raises(LMError) as caught:
            model(stub).complete(PROMPT)
        assert KEY[:12] not in str(caught.value)
        assert len(str(caught.value)) < 500

    @pytest.mark.parametrize(
        "url", ["http://user:hunter2@localhost/v1", "http://h/v1?key=hunter2", "user:hunter2@h"]
    )
    def test_a_base_url_with_a_secret_is_refused_without_repeating_it(self, url: str) -> None:
        with pytest.raises(LMError) as caught:
            LiteLLM("openai/x", LMOptions(base_url=url))
        assert "hunter2" not in str(caught.value)


class TestMissing:
    def test_a_model_that_nobody_serves(self) -> None:
        hint = LiteLLM("nosuch", LMOptions()).missing()
        assert hint is not None
        assert "'nosuch'" in hint
        assert "PROVIDER/MODEL" in hint

    def test_an_absent_key_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENAI_API_KEY")
        hint = LiteLLM("openai/gpt-4o", LMOptions()).missing()
        assert hint is not None
        assert "set OPENAI_API_KEY" in hint

    def test_one_of_several_spellings_of_a_key_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        lm = LiteLLM("together_ai/x", LMOptions())
        assert lm.missing() is not None
        monkeypatch.setenv("TOGETHER_API_KEY", "0123456789")
        assert lm.missing() is None

    @pytest.mark.parametrize("name", ["ollama/llama3", "hosted_vllm/x", "bedrock/x", "github_copilot/x"])
    def test_providers_without_a_key_variable_are_left_to_answer(self, name: str) -> None:
        assert LiteLLM(name, LMOptions()).missing() is None

    def test_what_is_missing_is_said_again_by_the_first_call(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENAI_API_KEY")
        lm = LiteLLM("openai/gpt-4o", LMOptions())
        with pytest.raises(LMError) as caught:
            lm.complete(PROMPT)
        assert str(caught.value) == lm.missing()

    @pytest.mark.parametrize("url", ["localhost:8000", "ftp://h/", "http://", "", "http://[::1"])
    def test_a_base_url_that_is_none(self, url: str) -> None:
        with pytest.raises(LMError, match="base URL"):
            LiteLLM("openai/x", LMOptions(base_url=url))


def test_opening_a_model_imports_no_client_library() -> None:
    program = (
        "import sys; from kernelopt.lms import LMOptions; from kernelopt.lms._open import open_lm;"
        "open_lm('openai/gpt-4o', LMOptions());"
        "print(sorted({'litellm', 'openai', 'httpx', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
