"""A Python traceback becomes the exception and the frames of the candidate's own file."""

import traceback

from hypothesis import given
from hypothesis import strategies as st

from kernelopt.feedback.tracebacks import parse_traceback, render

LOG = """warming up
  File "kernel.py", line 30, in forward
    return self.lib.scale(x, y)
           ^^^^^^^^^^^^^^^^^^^^
  File "/somewhere/kernelopt/inline.py", line 300, in __call__
    raise TypeError(problem)
TypeError: scale takes 3 arguments, got 2
"""


def test_exception_and_own_frames_are_kept():
    found = parse_traceback(LOG)
    assert found.exception == "TypeError: scale takes 3 arguments, got 2"
    assert render(found, {"kernel.py"}) == [
        "- TypeError: scale takes 3 arguments, got 2",
        "```",
        "kernel.py:30 in forward: return self.lib.scale(x, y)",
        "```",
    ]


def test_without_own_frames_the_last_ones_are_shown():
    assert "inline.py:300" in "\n".join(render(parse_traceback(LOG), {"other.py"}))


def test_the_last_of_several_tracebacks_counts():
    log = LOG + "\nDuring handling of the above exception, another exception occurred:\n\n"
    log += '  File "kernel.py", line 9, in <module>\n    main()\nValueError: second\n'
    found = parse_traceback(log)
    assert found.exception == "ValueError: second"
    assert [frame.line for frame in found.frames] == [9]


def test_a_syntax_error_shows_its_line():
    try:
        compile("x = (1,\ny = 2\n", "kernel.py", "exec")
    except SyntaxError as error:
        log = "".join(traceback.format_exception_only(error))
    shown = "\n".join(render(parse_traceback(log), {"kernel.py"}))
    assert "SyntaxError" in shown
    assert "kernel.py:1" in shown


def test_a_message_of_several_lines_is_kept_in_a_fence():
    log = '  File "kernel.py", line 1, in f\n    g()\nRuntimeError: first\n# second\nthird\n'
    assert render(parse_traceback(log), {"kernel.py"})[1:] == [
        "```",
        "kernel.py:1 in f: g()",
        "# second",
        "third",
        "```",
    ]


def test_a_missing_source_line_is_taken_from_the_kernel():
    log = '  File "kernel.py", line 2, in f\nValueError: x\n'
    shown = render(
        parse_traceback(log), {"kernel.py"}, {"kernel.py": "def f():\n    raise ValueError('x')\n"}
    )
    assert "kernel.py:2 in f: raise ValueError('x')" in shown


def test_a_log_without_a_traceback_has_none():
    assert parse_traceback("Segmentation fault\nError: nothing\n") is None


def explode(depth):
    if depth == 0:
        raise KeyError("gone")
    explode(depth - 1)


def test_a_real_traceback_is_read():
    try:
        explode(4)
    except KeyError:
        found = parse_traceback(traceback.format_exc())
    assert found.exception == "KeyError: 'gone'"
    assert [frame.function for frame in found.frames][-1] == "explode"
    assert found.frames[-1].source == 'raise KeyError("gone")'


@given(
    st.text()
    | st.lists(st.sampled_from(['  File "', 'kernel.py", line 1', ", in f", "\n", "E: x"])).map("".join)
)
def test_any_log_can_be_read(log):
    found = parse_traceback(log)
    assert found is None or render(found, {"kernel.py"})
