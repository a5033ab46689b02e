"""From the words of the user to a model."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from kernelopt import registry
from kernelopt.errors import LMError
from kernelopt.lms import LMOptions, Prompt
from kernelopt.lms._open import open_lm

OPTIONS = LMOptions()


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("replay:some/file.jsonl", "Replay"),
        ("files:some/dir", "Files"),
        ("openai/gpt-4o", "LiteLLM"),
        ("ollama/llama3:8b", "LiteLLM"),
        ("gpt-4o", "LiteLLM"),
    ],
)
def test_opens_what_is_named_and_keeps_the_name(spec: str, kind: str) -> None:
    lm = open_lm(f" {spec} ", OPTIONS)
    assert type(lm).__name__ == kind
    assert lm.name == spec


def test_an_argument_may_hold_colons(tmp_path: Path) -> None:
    assert open_lm(f"files:{tmp_path}/a:b", OPTIONS).missing() is None
    assert (tmp_path / "a:b" / "requests").is_dir()


@pytest.mark.parametrize("spec", ["", "  ", "replay", "replay:", "files", "files:", "litellm", "litellm:"])
def test_a_spec_that_names_nothing_is_one_line(spec: str) -> None:
    with pytest.raises(LMError) as caught:
        open_lm(spec, OPTIONS)
    assert len(str(caught.value).splitlines()) == 1


def test_every_lm_plugin_makes_its_models_from_an_argument_and_options() -> None:
    for name in registry.names("lms"):
        argument = "" if name == "builtin" else "something"
        lm = registry.get("lms", name)(argument, OPTIONS)
        assert lm.name


class Parrot:
    """What another package might bring."""

    def __init__(self, argument: str, options: LMOptions) -> None:
        self.name = f"parrot:{argument}"

    def complete(self, prompt: Prompt) -> str:
        return prompt.user


def test_a_plugin_of_another_package_opens_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("parrot", f"{__name__}:Parrot", "kernelopt.lms")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])
    assert open_lm("parrot:polly", OPTIONS).name == "parrot:polly"
    assert open_lm("parrot", OPTIONS).name == "parrot:"
