"""The static look in the judge's line: at texts before they are built, at builds before they are loaded."""

import pytest
from honest_kernel import HONEST

from kernelopt.evaluation import Stage, Status
from kernelopt.kernel import Kernel
from kernelopt.languages.cpp import Cpp

SCALE = 'extern "C" void scale'
FORK = {
    SCALE: f'#define JOIN(a, b) a##b\nextern "C" int JOIN(fo, rk)();\n{SCALE}',
    "  for (int64_t r = 0;": "  if (rows < 0) JOIN(fo, rk)();\n  for (int64_t r = 0;",
}
"""Reaches for another process, under a name that no text shows."""
DLSYM = {
    SCALE: f"#include <dlfcn.h>\n{SCALE}",
    "  for (int64_t r = 0;": '  if (rows < 0) dlsym(RTLD_DEFAULT, "cblas_sgemm");\n  for (int64_t r = 0;',
}


@pytest.fixture
def looks(judge, monkeypatch):
    """What the judge asks the language to look at, in order: (what, allow_libraries)."""
    asked = []

    class Recording(Cpp):
        def inspect(self, kernel, *, allow_libraries=False):
            asked.append(("text", allow_libraries))
            return super().inspect(kernel, allow_libraries=allow_libraries)

        def inspect_artifact(self, path, *, allow_libraries=False):
            asked.append(("build", allow_libraries))
            return super().inspect_artifact(path, allow_libraries=allow_libraries)

    monkeypatch.setattr(judge, "_languages", lambda name: Recording())
    monkeypatch.setattr(judge, "_seen", {})
    return asked


def spoiled(changes):
    source = HONEST
    for old, new in changes.items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    return source


def test_what_only_the_build_shows_is_found_before_it_is_loaded(evaluate):
    source = spoiled(FORK)
    assert not [f for f in Cpp().inspect(Kernel.from_source(source, "cpp")) if f.suspect]
    found = evaluate(source)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.STATIC)
    assert found.reason.startswith("process: what was built imports fork")
    assert found.build and not found.checks


def test_without_the_look_the_same_kernel_is_like_any_other(evaluate):
    """So the test above shows the look, not something else that stopped the kernel."""
    assert evaluate(spoiled(FORK), static=False).status is Status.PASSED


def test_a_build_is_looked_at_once_and_its_text_every_time(evaluate, looks):
    assert evaluate().status is Status.PASSED
    assert evaluate().status is Status.PASSED
    assert looks == [("text", False), ("build", False), ("text", False)]


def test_libraries_are_allowed_where_the_settings_say_so(evaluate, looks):
    refused = evaluate(spoiled(DLSYM))
    assert (refused.status, refused.stage) == (Status.SUSPECT, Stage.STATIC)
    assert "library" in refused.reason
    assert looks == [("text", False)]
    assert evaluate(spoiled(DLSYM), allow_libraries=True).status is Status.PASSED
    assert looks[1:] == [("text", True), ("build", True)]


def test_a_build_that_was_fine_with_libraries_is_looked_at_again_without(evaluate, looks, monkeypatch):
    passed = evaluate(spoiled(DLSYM), allow_libraries=True)
    assert passed.environment["rules"] == "allow_libraries"
    monkeypatch.setattr(Cpp, "inspect", lambda *_, **__: [])  # the text shows it, too
    assert "what was built imports dlsym" in evaluate(spoiled(DLSYM)).reason
