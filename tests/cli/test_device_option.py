"""``--device``: a language has one device on a machine, and says which."""

import pytest

from kernelopt.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--device", "interpreter"], "--device interpreter: kernels in cpp run on the device cpu here"),
        (["--language", "triton", "--device", "cpu"], "kernels in triton run on the device interpreter here"),
        (["--device", "abacus"], "no device named 'abacus'"),
    ],
)
def test_a_device_that_the_language_does_not_run_on_is_refused_in_one_line(arguments, words, capsys):
    assert main(["eval", "missing.py", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_languages_own_device_may_be_named(capsys):
    assert main(["eval", "missing.py", "--device", "cpu"]) == 2
    assert "missing.py: the kernel cannot be read" in capsys.readouterr().err
