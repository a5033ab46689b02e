"""The pictures of the HTML report in the documentation, made again.

    python -m benchmarks.perf.report_images [--run RUN [--runs DIR]] [--out docs/images]

They show a run of yours, or an invented one (`tests/report/big_run.py`), which the report says on top.
Needs what `benchmarks.perf.report` needs, and pngquant to make the files small where it is installed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.perf.report import ROOT, chromium, written
from kernelopt.cli.report import asi
from kernelopt.report.html.render import render
from kernelopt.store.run import open_run

LARGEST = 300_000
"""Bytes of one picture."""


def shoot(browser: Any, file: Path, out: Path) -> list[Path]:
    """Desktop, dark with a kernel opened, and phone."""
    made = []

    def visit(name: str, size: tuple[int, int], scheme: str, zoom: float = 1.0) -> Any:
        window = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=window, color_scheme=scheme, device_scale_factor=zoom)
        page = context.new_page()
        page.goto(file.as_uri())
        made.append(out / f"{name}.png")
        return page

    page = visit("report", (1240, 1000), "light")
    # The figures on top and the charts in one picture: only the best tasks of the table between them.
    page.evaluate("document.querySelectorAll('#task-table tbody tr').forEach((row, i) => row.hidden = i > 9)")
    page.locator("#prompts").scroll_into_view_if_needed()
    box = page.locator("#prompts").bounding_box()
    top = page.evaluate("scrollY") + box["y"]
    page.screenshot(path=made[-1], full_page=True, clip={"x": 0, "y": 0, "width": 1240, "height": top - 20})
    page = visit("report-kernel-dark", (1240, 820), "dark")
    page.evaluate("location.hash = document.querySelector('#task-table tbody a').getAttribute('href')")
    page.wait_for_selector("dialog[open] pre .row")
    tabs = page.get_by_role("tab").filter(has_text="Diff")
    if tabs.count():
        tabs.first.click()
    page.screenshot(path=made[-1])
    page = visit("report-phone", (390, 1240), "light", 1.5)
    page.screenshot(path=made[-1])
    return made


def smaller(file: Path) -> None:
    """The same picture with 128 colours, where pngquant is there to do it."""
    if shutil.which("pngquant"):
        command = ["pngquant", "--force", "--strip", "--output", str(file), "128", str(file)]
        subprocess.run(command, check=True)
    if file.stat().st_size > LARGEST:
        raise SystemExit(f"{file}: {file.stat().st_size} bytes; install pngquant: apt-get install pngquant")


def _report(folder: Path, run: str | None, runs: Path) -> Path:
    """The HTML of a run, or of an invented one."""
    if not run:
        return written(folder, "synthetic", tasks=48, rollouts=1100)[0]
    with open_run(run, runs) as opened:
        (folder / "report.html").write_text(render(opened, asi), encoding="utf-8")
    return folder / "report.html"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the pictures and say where."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", help="name or path of a run; an invented one by default")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        file = _report(Path(folder), options.run, options.runs)
        for picture in shoot(browser, file, options.out):
            smaller(picture)
            print(f"{picture}: {picture.stat().st_size} bytes")


if __name__ == "__main__":
    main()
