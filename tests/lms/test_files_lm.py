"""The files LM: requests and replies are files; here small threads play the person who answers."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from kernelopt.errors import LMError
from kernelopt.lms import Completion, LMOptions, Prompt
from kernelopt.lms.files import Files, pending
from kernelopt.testing import LMContract

PROMPT = Prompt("be brief", "\n23_Softmax\nwrite a kernel")


def model(directory: Path, **settings: float) -> Files:
    quick = {"poll_s": 0.01, "settle_s": 0.05, "settle_empty_s": 0.1, **settings}
    return Files(str(directory), LMOptions(), **quick)


def reply(directory: Path, name: str, text: str) -> None:
    part = directory / "replies" / f"{name}.part"
    part.write_text(text)
    part.replace(directory / "replies" / name)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "requests").glob("*"))


@contextmanager
def asking(lm: Files, *prompts: Prompt) -> Iterator[list]:
    """Prompts under way in threads, in this order; interrupted at the end, answered or not."""
    with ThreadPoolExecutor(len(prompts)) as pool:
        calls = []
        requests = lm._directory / "requests"
        for prompt in prompts:
            before = len(list(requests.glob("*.md")))
            calls.append(pool.submit(lm.complete, prompt))
            until(lambda count=before: len(list(requests.glob("*.md"))) > count)
        try:
            yield calls
        finally:
            lm.interrupt()


class TestContract(LMContract):
    """A script answers whatever `pending` lists, last first, with the user's part in capitals."""

    @pytest.fixture
    def lm(self, tmp_path: Path) -> Iterator[Files]:
        lm = model(tmp_path)
        assert lm.missing() is None
        done = threading.Event()

        def answer() -> None:
            while not done.wait(0.01):
                for each in reversed(pending(tmp_path)):
                    _, _, user = each.request.read_text().partition("## User\n\n")
                    reply(tmp_path, each.name, user.strip().upper())

        person = threading.Thread(target=answer)
        person.start()
        yield lm
        lm.interrupt()
        done.set()
        person.join()

    @pytest.fixture
    def answers(self) -> dict[Prompt, str]:
        return {Prompt("s", text): text.upper() for text in ("one", "two", "three", "four")}


class TestRequest:
    def test_is_named_after_the_prompt_and_holds_both_parts(self, tmp_path: Path) -> None:
        with asking(model(tmp_path), PROMPT):
            text = (tmp_path / "requests" / f"{PROMPT.hash}.md").read_text()
        assert "## System\n\nbe brief\n" in text
        assert "## User\n\n\n23_Softmax\nwrite a kernel\n" in text
        assert f"replies/{PROMPT.hash}.md" in text

    def test_is_never_seen_half_written(self, tmp_path: Path) -> None:
        with asking(model(tmp_path), PROMPT, Prompt("", "x")):
            assert all(name.endswith(".md") for name in names(tmp_path))

    def test_of_the_same_prompt_gets_a_number(self, tmp_path: Path) -> None:
        with asking(model(tmp_path), PROMPT, PROMPT, PROMPT):
            found = names(tmp_path)
        assert found == [f"{PROMPT.hash}-2.md", f"{PROMPT.hash}-3.md", f"{PROMPT.hash}.md"]

    def test_stays_when_the_run_is_interrupted_and_is_not_written_twice(self, tmp_path: Path) -> None:
        with asking(model(tmp_path), PROMPT):
            pass
        path = tmp_path / "requests" / f"{PROMPT.hash}.md"
        os.utime(path, (1_000_000_000, 1_000_000_000))
        with ThreadPoolExecutor(1) as pool:
            lm = model(tmp_path)
            call = pool.submit(lm.complete, PROMPT)
            reply(tmp_path, path.name, "late")
            assert call.result(timeout=60).text == "late"
        assert names(tmp_path) == [path.name]
        assert path.stat().st_mtime == 1_000_000_000

    def test_of_a_resumed_run_skips_the_names_that_were_answered(self, tmp_path: Path) -> None:
        lm = model(tmp_path)
        lm.already_answered([PROMPT.hash])
        with asking(lm, PROMPT):
            assert names(tmp_path) == [f"{PROMPT.hash}-2.md"]

    def test_takes_any_text(self, tmp_path: Path) -> None:
        with asking(model(tmp_path), Prompt("\udcff", "\x00 é 漢")):
            assert len(names(tmp_path)) == 1


class TestReply:
    def test_is_returned_exactly_and_costs_nothing(self, tmp_path: Path) -> None:
        text = "```python\nclass ModelNew: ...\n```\n\n"
        with asking(model(tmp_path), PROMPT) as (call,):
            reply(tmp_path, f"{PROMPT.hash}.md", text)
            done = call.result(timeout=60)
        assert done == Completion(text, model="files", seconds=done.seconds)
        assert (done.cost_usd, done.priced) == (0.0, True)

    def test_may_come_in_any_order(self, tmp_path: Path) -> None:
        prompts = [Prompt("", str(number)) for number in range(5)]
        with asking(model(tmp_path), *prompts) as calls:
            for prompt in reversed(prompts):
                reply(tmp_path, f"{prompt.hash}.md", f"to {prompt.user}")
            assert [call.result(timeout=60).text for call in calls] == [f"to {n}" for n in range(5)]

    def test_to_each_of_several_equal_requests_is_its_own(self, tmp_path: Path) -> None:
        with asking(model(tmp_path), PROMPT, PROMPT) as (first, second):
            reply(tmp_path, f"{PROMPT.hash}-2.md", "b")
            reply(tmp_path, f"{PROMPT.hash}.md", "a")
            assert (first.result(timeout=60).text, second.result(timeout=60).text) == ("a", "b")

    def test_that_was_there_before_is_used(self, tmp_path: Path) -> None:
        lm = model(tmp_path, settle_s=1000.0)
        assert lm.missing() is None
        reply(tmp_path, f"{PROMPT.hash}.md", "ready")
        os.utime(tmp_path / "replies" / f"{PROMPT.hash}.md", (1_000_000_000, 1_000_000_000))
        assert lm.complete(PROMPT).text == "ready"

    def test_with_a_time_stamp_in_the_future_is_used(self, tmp_path: Path) -> None:
        lm = model(tmp_path)
        assert lm.missing() is None
        reply(tmp_path, f"{PROMPT.hash}.md", "early")
        os.utime(tmp_path / "replies" / f"{PROMPT.hash}.md", (4_000_000_000, 4_000_000_000))
        assert lm.complete(PROMPT).text == "early"

    def test_that_is_empty_is_an_empty_completion(self, tmp_path: Path) -> None:
        with asking(model(tmp_path), PROMPT) as (call,):
            reply(tmp_path, f"{PROMPT.hash}.md", "")
            done = call.result(timeout=60)
        assert (done.text, done.finish_reason) == ("", "empty")

    def test_that_is_still_growing_is_waited_for(self, tmp_path: Path) -> None:
        with asking(model(tmp_path, settle_s=1000.0), PROMPT) as (call,):
            path = tmp_path / "replies" / f"{PROMPT.hash}.md"
            with path.open("w") as file:
                for _ in range(5):
                    file.write("x")
                    file.flush()
                    time.sleep(0.03)
                    assert not call.done()
            os.utime(path, (1_000_000_000, 1_000_000_000))  # at rest for long
            assert call.result(timeout=60).text == "xxxxx"

    def test_that_a_redirection_opened_early_is_not_taken_for_empty(self, tmp_path: Path) -> None:
        with asking(model(tmp_path, settle_empty_s=1000.0), PROMPT) as (call,):
            path = tmp_path / "replies" / f"{PROMPT.hash}.md"
            path.touch()
            time.sleep(0.2)
            assert not call.done()
            path.write_text("at last")
            assert call.result(timeout=60).text == "at last"

    @pytest.mark.parametrize("temporary", [".{}.swp", "{}~", "#{}#", ".#{}", "4913", "{}.part", ".{}.tmp"])
    def test_is_not_read_from_an_editors_temporary_file(self, tmp_path: Path, temporary: str) -> None:
        name = f"{PROMPT.hash}.md"
        with asking(model(tmp_path), PROMPT) as (call,):
            (tmp_path / "replies" / temporary.format(name)).write_text("half")
            time.sleep(0.15)
            assert not call.done()
            reply(tmp_path, name, "whole")
            assert call.result(timeout=60).text == "whole"

    @pytest.mark.parametrize(
        ("data", "text"), [(b"\xef\xbb\xbfhello", "hello"), (b"caf\xe9", "caf�")], ids=["bom", "latin-1"]
    )
    def test_in_another_encoding_ends_no_run(self, tmp_path: Path, data: bytes, text: str) -> None:
        lm = model(tmp_path)
        assert lm.missing() is None
        (tmp_path / "replies" / f"{PROMPT.hash}.md").write_bytes(data)
        assert lm.complete(PROMPT).text == text


class TestInterrupt:
    def test_ends_every_wait(self, tmp_path: Path) -> None:
        with asking(model(tmp_path), PROMPT, Prompt("", "x")) as calls:
            pass
        for call in calls:
            with pytest.raises(LMError, match="interrupted"):
                call.result(timeout=60)


class TestMissing:
    def test_makes_the_directory(self, tmp_path: Path) -> None:
        assert model(tmp_path / "a" / "b").missing() is None
        assert (tmp_path / "a" / "b" / "replies").is_dir()

    def test_a_file_in_the_way_is_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        lm = model(tmp_path / "file")
        hint = lm.missing()
        assert hint is not None
        assert "cannot make" in hint
        with pytest.raises(LMError, match="cannot make"):
            lm.complete(PROMPT)


class TestPending:
    def test_lists_the_oldest_first_with_the_first_line_of_the_task(self, tmp_path: Path) -> None:
        old, new, answered = PROMPT, Prompt("## User\n", "next"), Prompt("", "done")
        with asking(model(tmp_path), new, old, answered):
            os.utime(tmp_path / "requests" / f"{old.hash}.md", (1_000_000_000, 1_000_000_000))
            reply(tmp_path, f"{answered.hash}.md", "x")
            found = pending(tmp_path)
        assert [(each.name, each.task) for each in found] == [
            (f"{old.hash}.md", "23_Softmax"),
            (f"{new.hash}.md", "next"),
        ]
        assert found[0].age_s > 1e6

    def test_of_a_directory_that_no_run_uses_is_one_line(self, tmp_path: Path) -> None:
        with pytest.raises(LMError, match="holds no requests"):
            pending(tmp_path)
