"""The feedback on a kernel that was compiled only: figures, what stands out, what the last change did."""

from kernelopt.evaluation import Build, Evaluation, Stage, Status
from kernelopt.feedback import words
from kernelopt.feedback.explain import explain
from kernelopt.feedback.query import query_facts
from kernelopt.gpu import CompiledKernel, Diagnostic, Mix, Occupancy
from kernelopt.gpu.profiles import to_data, to_profiles

NOTE = "compile only: not run, not checked, not timed"
SLOW = CompiledKernel(
    "f", 40, 16, 16, mix=Mix(90, fp64=3, global_load=4), occupancy=Occupancy(256, 8, 1.0, "threads")
)
GOOD = CompiledKernel("f", 30, mix=Mix(60, global_load=4, global_load_128=4))


def compiled(name, *kernels):
    build = Build("nvrtc 13.5 for sm_90", "ptxas info", 0.1, False)
    return Evaluation(
        "1/12",
        "s",
        name,
        "cuda",
        "compiler",
        "bwrap",
        Status.COMPILED,
        Stage.BUILD,
        NOTE,
        build,
        profiles=to_profiles(kernels),
    )


def failed():
    said = (Diagnostic("nvrtc", "error", 'identifier "INFINITY" is undefined', "k.cu", 3, 9),)
    build = Build("nvrtc 13.5 for sm_90", "k.cu(3): error", 0.1, False, to_data(said))
    return Evaluation(
        "1/12",
        "s",
        "c",
        "cuda",
        "compiler",
        "bwrap",
        Status.BUILD_FAILED,
        Stage.BUILD,
        "kernel does not compile",
        build,
    )


def test_it_says_that_nothing_was_run_and_what_stands_out():
    text = explain(compiled("a", SLOW), score="0.05")
    assert text.startswith(f"COMPILED ({NOTE}). Score: 0.05.")
    for words_of_it in ("spills 16 bytes", words.NARROW_LOADS, words.DOUBLE_INSTRUCTIONS, "occupancy 100%"):
        assert words_of_it in text
    assert "PASSED" not in text and "correct" not in text


def test_several_kernels_are_told_to_be_one():
    assert words.SEVERAL_PASSES in explain(compiled("a", GOOD, CompiledKernel("g", 20)))
    assert words.SEVERAL_PASSES not in explain(compiled("a", GOOD, GOOD))


def test_it_tells_what_the_last_change_mended_and_what_it_broke():
    text = explain(compiled("b", GOOD), parent=compiled("a", SLOW))
    assert "mended: double precision, narrow loads, spills" in text and "new:" not in text
    text = explain(compiled("a", SLOW), parent=compiled("b", GOOD))
    assert "new: double precision, narrow loads, spills" in text
    assert "it compiled before: the last change broke it" in explain(failed(), parent=compiled("b", GOOD))


def test_a_failed_build_comes_with_its_mend_once():
    text = explain(failed())
    assert text.count('identifier "INFINITY" is undefined') == 1
    assert "Usual mend: no header defines this constant" in text


def test_the_manual_is_asked_for_flaws_and_for_errors():
    assert "narrow loads" in query_facts(compiled("a", SLOW), "")["bottleneck"]
    assert query_facts(compiled("a", SLOW), "")["error"] == ""
    assert query_facts(failed(), "")["error"] == 'identifier "INFINITY" is undefined'
