"""The user's own manuals: read into sections with headings and pages, found beside the notes, forgotten."""

import json

import pytest
from pdf_files import write_pdf

from kernelopt.errors import UsageError
from kernelopt.retrieval import manuals
from kernelopt.retrieval.index import Index, bundled, open_index
from kernelopt.retrieval.ingest import CODE, HEADING, TEXT, html, pdf, text
from kernelopt.retrieval.ingest.sections import LONGEST, divide
from kernelopt.retrieval.notes import read_notes

MARKDOWN = """---
title: front matter is no text
---
# Memory

Global memory is slow.

## Zyxwave copies

A zyxwave copy moves quorgles of sixteen bytes past the registers, and signals an mbarrier when it is done.
It has to be aligned to sixteen bytes, on both sides, and its size has to be a multiple of that as well.

```cpp
zyxwave_copy(dst, src);  // a comment. Not the end
# not a heading
```

Underlined
----------
The last section tells of zyxwave faults: a copy to an address that is not aligned stops the kernel, and the
next call on the stream reports it, often far from where it happened, so that it helps to run blocking.
"""
PAGE = """<html><head><title>T</title><style>p {}</style></head><body><nav>Contents</nav>
<h1>Guide<a class="headerlink">¶</a></h1><p>Warps run in <b>lock</b>step &amp; apart.
<h2>Votes</h2><div>A ballot <code>__ballot_sync</code> counts.</div><script>alert("x")</script>
<ul><li>one<li>two</ul><pre>int a;
  int b;</pre><table><tr><td>lanes</td><td>32</td></tr></table></body></html>"""


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Data and cache folders of their own, and an index that is opened anew."""
    monkeypatch.setenv("KERNELOPT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path / "cache"))
    open_index.cache_clear()
    yield
    open_index.cache_clear()


def kinds(blocks):
    return [(block.kind, block.text) for block in blocks]


def test_markdown_gives_headings_paragraphs_and_whole_code():
    sections = divide(text.blocks(MARKDOWN))
    assert [section.path for section in sections] == [("Memory", "Zyxwave copies"), ("Memory", "Underlined")]
    assert sections[0].text.startswith("Global memory is slow.")
    assert sections[0].text.endswith(
        "```\nzyxwave_copy(dst, src);  // a comment. Not the end\n# not a heading\n```"
    )
    assert "front matter" not in sections[0].text


def test_plain_text_has_numbered_and_underlined_headings():
    found = list(text.blocks("Title\n=====\nWords.\n\n2.1 Copies of Blocks\n\n    code();\n", markdown=False))
    assert kinds(found) == [
        (HEADING, "Title"),
        (TEXT, "Words."),
        (HEADING, "2.1 Copies of Blocks"),
        (CODE, "    code();"),
    ]
    assert [block.level for block in found if block.kind == HEADING] == [1, 2]


def test_html_loses_its_navigation_and_keeps_its_code():
    found = kinds(html.blocks(PAGE))
    assert found[0] == (HEADING, "Guide")
    assert (HEADING, "Votes") in found
    assert (CODE, "int a;\n  int b;") in found
    told = " ".join(part for kind, part in found if kind == TEXT)
    assert "Warps run in lockstep & apart." in " ".join(told.split())
    assert "lanes | 32" in told
    assert "alert" not in told and "Contents" not in told and "p {}" not in told


def test_a_pdf_gives_the_headings_of_its_outline_with_pages(tmp_path):
    filler = [f"Line {n} of words that mean little, to make it long." for n in range(12)]
    pages = [
        ["Guide v1", "1. Intro", *filler, "1"],
        ["Guide v1", "more words of it.", "1.1. Copies", "A quorgle moves.", *filler, "2"],
        *([["Guide v1", *filler, "3"]] * 3),
    ]
    file = write_pdf(tmp_path / "g.pdf", pages, [("1. Intro", 0, None), ("Copies", 1, 0)])
    sections = divide(pdf.read(file))
    copies = next(section for section in sections if "quorgle" in section.text)
    assert copies.path == ("1. Intro", "Copies")
    assert copies.page == 2
    assert not any("Guide v1" in section.text for section in sections)


def test_a_pdf_without_outline_is_divided_by_numbered_lines(tmp_path):
    lines = ["5.3.2 Device Memory Accesses", *(["Words about memory that go on for a while."] * 8)]
    assert divide(pdf.read(write_pdf(tmp_path / "g.pdf", [lines])))[0].path == (
        "5.3.2 Device Memory Accesses",
    )


def test_long_paragraphs_are_divided_at_sentences_and_short_sections_joined():
    long = " ".join(f"Sentence number {n} says a thing." for n in range(200))
    sections = divide(text.blocks(f"# A\n\n{long}\n\n# B\n\nShort.\n\n# C\n\nShort too.\n"))
    assert all(len(section.text) <= LONGEST for section in sections)
    assert all(section.text.endswith(".") for section in sections)
    assert (
        sections[-1].text.endswith("**B** Short.\n\n**C** Short too.")
        or "**C** Short too." in sections[-1].text
    )


def added(tmp_path, **more):
    file = tmp_path / "memory.md"
    file.write_text(MARKDOWN)
    return manuals.add(file, more.get("name"), more.get("targets", ()))


def test_an_added_manual_is_found_and_names_its_place(tmp_path):
    assert added(tmp_path, name="vendor").sections == 2
    found = open_index().search("zyxwave copy quorgles", target="cuda")[0]
    assert found.name == "vendor#1"
    assert found.title == "Memory > Zyxwave copies"
    assert found.source == "vendor, Memory > Zyxwave copies"


def test_only_searches_for_its_targets_see_it(tmp_path):
    added(tmp_path, targets=("cuda",))
    assert open_index().search("zyxwave quorgles", target="cpu") == []
    assert open_index().search("zyxwave quorgles", target="cuda")


def test_notes_come_before_a_manual_that_fits_as_well(tmp_path):
    note = next(note for note in read_notes() if note.name == "cpu/softmax-stable")
    (tmp_path / "m.md").write_text(f"# {note.title}\n\n{note.text}\n")
    manuals.add(tmp_path / "m.md", None, ())
    found = Index([bundled(), manuals.open_sections()]).search(note.title, target="cpu")
    names = [excerpt.name for excerpt in found]
    assert names.index(note.name) < names.index("m#1")


def test_adding_again_replaces_and_removing_forgets(tmp_path):
    added(tmp_path)
    (tmp_path / "memory.md").write_text("# One\n\nOnly this flurble.\n")
    assert manuals.add(tmp_path / "memory.md", None, ()).sections == 1
    assert [manual.name for manual in manuals.every()] == ["memory"]
    assert open_index().search("flurble", target="npu")
    manuals.remove("memory")
    open_index.cache_clear()
    assert manuals.every() == []
    assert open_index().search("flurble", target="npu") == []


def test_a_folder_is_one_manual_of_all_its_files(tmp_path):
    folder = tmp_path / "My Docs"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.md").write_text("# A\n\nAbout quorgles.\n")
    (folder / "sub/b.html").write_text("<h1>B</h1><p>About flurbles.")
    (folder / "c.bin").write_bytes(b"\0\1")
    manual = manuals.add(folder, None, ())
    assert (manual.name, manual.files, manual.sections) == ("My-Docs", 2, 2)
    assert open_index().search("flurbles", target="cpu")[0].source == "My-Docs, sub/b.html, B"


def test_a_built_index_is_read_again_and_a_damaged_one_built_anew(tmp_path):
    added(tmp_path)
    first = Index([manuals.open_sections()]).search("zyxwave", target="cpu")
    place = next((tmp_path / "cache/manuals").glob("manuals-*"))
    (place / "notes.jsonl").write_bytes(b"{")
    assert Index([manuals.open_sections()]).search("zyxwave", target="cpu") == first
    assert len((place / "notes.jsonl").read_bytes()) > 1


def test_a_damaged_manual_is_no_manual(tmp_path):
    added(tmp_path)
    (manuals.folder() / "memory/manual.json").write_text("{}")
    assert manuals.every() == []


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.docx", b"x", "this kind of file is not read"),
        ("a.pdf", b"no pdf at all", "no readable PDF"),
        ("a.txt", b"\0\0\0", "it is no text"),
        ("a.md", b"   \n", "no text was found"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_that_names_it(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=says) as caught:
        manuals.add(tmp_path / name, None, ())
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert manuals.every() == []


def test_scanned_and_encrypted_pdfs_say_so(tmp_path):
    from pypdf import PdfReader, PdfWriter

    plain = write_pdf(tmp_path / "empty.pdf", [[], []])
    with pytest.raises(UsageError, match="OCR"):
        manuals.add(plain, None, ())
    writer = PdfWriter(clone_from=PdfReader(plain))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(UsageError, match="encrypted"):
        manuals.add(tmp_path / "locked.pdf", None, ())


def test_names_and_targets_are_checked(tmp_path):
    added(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "memory.md").write_text("text")
    for arguments, says in [
        ((other / "memory.md", None, ()), "choose another one with --name"),
        ((other, "../x", ()), "letters, digits"),
        ((other, None, ("gpu",)), "no such target|none of that name"),
        ((tmp_path / "absent", None, ()), "no such file"),
        ((tmp_path / "cache", None, ()), "no such file|no manual in it"),
    ]:
        with pytest.raises(UsageError, match=says):
            manuals.add(*arguments)
    with pytest.raises(UsageError, match="no manual 'x'; there are: memory"):
        manuals.remove("x")


def test_what_is_kept_is_plain_json(tmp_path):
    added(tmp_path, targets=("cuda",))
    kept = json.loads((manuals.folder() / "memory/manual.json").read_text())
    assert kept["targets"] == ["cuda"]
    assert kept["sections"] == len((manuals.folder() / "memory/sections.jsonl").read_text().splitlines())
