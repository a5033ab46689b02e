"""What every language model does, as a test class."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from kernelopt.lms import LM, Completion, Prompt
from kernelopt.lms._transcript import Record


class LMContract:
    """What every language model does.

    Fixtures: `lm`, a usable model, new for each test; `answers`, at least two prompts that it can answer,
    each with the exact text it will answer, or None where that is not known beforehand. No prompt is asked
    twice of one model.
    """

    def test_has_a_name_that_fits_on_one_line(self, lm: LM) -> None:
        """The name is what messages and tables show."""
        assert lm.name.strip()
        assert len(lm.name.splitlines()) == 1

    def test_reports_nothing_missing_when_it_can_answer(self, lm: LM) -> None:
        """`missing` gives no false alarm."""
        assert lm.missing() is None

    def test_answers_a_prompt(self, lm: LM, answers: Mapping[Prompt, str | None]) -> None:
        """The text comes back exactly, one prompt after another."""
        for prompt, expected in answers.items():
            text = lm.complete(prompt).text
            assert isinstance(text, str)
            assert expected is None or text == expected

    def test_accounts_for_what_it_used(self, lm: LM, answers: Mapping[Prompt, str | None]) -> None:
        """Tokens, dollars, seconds and attempts are plausible; an unknown price counts as none."""
        completion = lm.complete(next(iter(answers)))
        assert completion.tokens_in >= 0
        assert completion.tokens_out >= 0
        assert completion.cost_usd >= 0
        assert completion.priced or completion.cost_usd == 0
        assert completion.seconds >= 0
        assert completion.attempts >= 1

    def test_says_how_a_completion_ended(self, lm: LM, answers: Mapping[Prompt, str | None]) -> None:
        """``stop`` is never said of an empty text."""
        completion = lm.complete(next(iter(answers)))
        assert completion.finish_reason
        assert completion.text.strip() or completion.finish_reason != "stop"

    def test_a_transcript_keeps_its_completions(self, lm: LM, answers: Mapping[Prompt, str | None]) -> None:
        """A completion survives the transcript unaltered."""
        prompt = next(iter(answers))
        record = Record(prompt, lm.complete(prompt), role="task")
        assert Record.from_line(record.to_line()) == record

    def test_threads_get_the_answers_to_their_own_prompts(
        self, lm: LM, answers: Mapping[Prompt, str | None]
    ) -> None:
        """Asking all at once mixes nothing up."""
        with ThreadPoolExecutor(len(answers)) as pool:
            completions: dict[Prompt, Completion] = dict(
                zip(answers, pool.map(lm.complete, answers), strict=True)
            )
        for prompt, expected in answers.items():
            assert expected is None or completions[prompt].text == expected
