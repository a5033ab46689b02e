"""The static look in the judge's line: at the text before anything is built, at builds before they are loaded."""

import pytest
from honest_kernel import HONEST

from kernelopt.evaluation import Stage, Status
from kernelopt.kernel import Kernel
from kernelopt.languages.cpp import Cpp

FORK = {
    'extern "C" void scale': '#define JOIN(a, b) a##b\nextern "C" int JOIN(fo, rk)();\nextern "C" void scale',
    "  for (int64_t r = 0;": "  if (rows < 0) JOIN(fo, rk)();\n  for (int64_t r = 0;",
}
"""Reaches for another process, under a name that no text shows."""
DLSYM = {
    'extern "C" void scale': '#include <dlfcn.h>\nextern "C" void scale',
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
    source = HONEST.replace("float v", "float w").replace("v >", "w >").replace("? v", "? w")
    assert evaluate(source).status is Status.PASSED
    assert evaluate(source).status is Status.PASSED
    assert looks == [("text", False), ("build", False), ("text", False)]


def test_libraries_are_allowed_where_the_settings_say_so(evaluate, looks):
    refused = evaluate(spoiled(DLSYM))
    assert (refused.status, refused.stage) == (Status.SUSPECT, Stage.STATIC)
    assert "library" in refused.reason
    assert looks == [("text", False)]
    assert evaluate(spoiled(DLSYM), allow_libraries=True).status is Status.PASSED
    assert looks[1:] == [("text", True), ("build", True)]


def test_a_build_that_was_fine_with_libraries_is_looked_at_again_without(evaluate, judge, looks):
    passed = evaluate(spoiled(DLSYM), allow_libraries=True)
    assert passed.environment["rules"] == "allow_libraries"
    text = judge._inspect
    judge._inspect = lambda findings: None if any(f.line for f in findings) else text(findings)
    try:
        assert "what was built imports dlsym" in evaluate(spoiled(DLSYM)).reason
    finally:
        judge._inspect = text
