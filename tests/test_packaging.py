"""What is handed over: the wheel holds what commands need, nothing else, and works away from the checkout."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_only_the_package_comes_to_the_top_of_site_packages(wheel):
    tops = {name.split("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"kernelopt"}


def test_every_data_folder_is_inside(wheel):
    found = set(names(wheel))
    for folder in ("benchmarks", "docs_index", "sandbox"):
        kept = {
            f"kernelopt/_data/{path.relative_to(ROOT)}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file()
            and "__pycache__" not in path.parts
            and path.suffix in {".py", ".md", ".json", ".cc"}
        }
        assert kept and kept <= found


def test_nothing_that_was_left_lying_about_is_inside(wheel):
    wrong = (".pyc", ".so", ".sqlite", ".log", ".env")
    assert [name for name in names(wheel) if name.endswith(wrong) or "/runs/" in name] == []


def test_the_source_archive_holds_what_builds_and_tests_it(tmp_path):
    (built,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(built) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "Makefile",
        "kernelopt/__init__.py",
        "sandbox/worker.py",
    }
    assert wanted | {"tests/test_packaging.py", "docs/evaluation.md", "CHANGELOG.md"} <= found


@pytest.mark.slow
def test_the_wheel_works_from_another_folder(wheel, tmp_path):
    """Unpacked, without the checkout on the path: as `pip install` leaves it, our dependencies beside it."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "site"),
        "KERNELOPT_CACHE": str(tmp_path / "cache"),
    }

    def run(*arguments):
        program = "import kernelopt, sys; assert 'site' in kernelopt.__file__, kernelopt.__file__; "
        program += "from kernelopt.cli.main import main; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    listed = run("suites", "show", "kernelbench", "--json")
    assert listed.returncode == 0, listed.stderr
    assert len(json.loads(listed.stdout)["tasks"]) > 40
    flags = [
        "--tasks",
        "1/23",
        "--budget-evals",
        "1",
        "--refinements",
        "0",
        "--sandbox",
        "process",
        "--quiet",
    ]
    searched = run("search", "--suite", "kernelbench", *flags)
    assert searched.returncode == 0, searched.stderr
    assert "1/23" in searched.stdout
