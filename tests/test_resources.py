"""The command that adds an extra works where kernelopt is: in a checkout, or as an installed package."""

import shlex
from pathlib import Path

from kernelopt import resources

CHECKOUT = Path(resources.__file__).parents[1]


def test_in_a_checkout_the_checkout_is_named(monkeypatch, tmp_path):
    monkeypatch.chdir(CHECKOUT)
    assert resources.pip_install("compile") == "pip install '.[compile]'"
    monkeypatch.chdir(tmp_path)
    (_, _, wanted) = shlex.split(resources.pip_install("hub"))
    assert Path(wanted.removesuffix("[hub]")).samefile(CHECKOUT)


def test_an_installed_package_is_named_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "site-packages" / "kernelopt")
    assert resources.pip_install("cuda") == "pip install 'kernelopt[cuda]'"
