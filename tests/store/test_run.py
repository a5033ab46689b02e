"""A run is a folder with a manifest; one process writes it, any number read it."""

import datetime
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from kernelopt.errors import StoreError, UnknownName
from kernelopt.store.names import run_names
from kernelopt.store.run import create_run, open_run

MANIFEST = {
    "suite": {
        "suite": "kernelbench-core",
        "official": False,
        "tasks": 2,
        "detail": "bundled",
        "shrunk": None,
    },
    "language": "cpp",
    "tasks": [{"id": "1/23", "slug": "1-23", "name": "23_Softmax"}],
}


def one_line(caught):
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_run_without_a_name_is_called_by_date_suite_language_and_number(tmp_path):
    today = datetime.date.today().isoformat()
    with create_run(tmp_path, None, MANIFEST) as first, create_run(tmp_path, None, MANIFEST) as second:
        assert re.sub(r"^\d{4}-\d\d-\d\d", today, first.name) == f"{today}-kernelbench-core-cpp-1"
        assert second.name.endswith("-kernelbench-core-cpp-2")
    assert run_names(tmp_path) == [first.name, second.name]


def test_the_manifest_keeps_every_field_and_says_who_made_it_when(tmp_path):
    with create_run(tmp_path, "one", {**MANIFEST, "flags": {"seed": 7}}) as run:
        run.update_manifest(isolation="process", flags={"seed": 8})
    with open_run("one", tmp_path) as run:
        assert run.manifest["tasks"] == MANIFEST["tasks"]
        assert run.manifest["flags"] == {"seed": 8}
        assert run.manifest["isolation"] == "process"
        assert run.manifest["format"] == 1 and run.manifest["name"] == "one"
        created = datetime.datetime.fromisoformat(run.manifest["created"])
        assert abs((datetime.datetime.now(datetime.UTC) - created).total_seconds()) < 3600


def test_kernels_and_prompts_are_files_that_people_find(tmp_path):
    with create_run(tmp_path, "one", MANIFEST) as run:
        run.write_kernel("1-23", "class ModelNew: ...\n")
        run.write_kernel("1-23", "class ModelNew: pass\n")
        run.write_prompt("best/generate", "Write a kernel.")
    assert (tmp_path / "one/kernels/1-23.py").read_text() == "class ModelNew: pass\n"
    assert (tmp_path / "one/prompts/best/generate.md").read_text() == "Write a kernel."
    assert [path.name for path in (tmp_path / "one/kernels").iterdir()] == ["1-23.py"]


@pytest.mark.parametrize("slug", ["../../escape", "", ".hidden", "a/../b", "a\nb"])
def test_a_file_name_cannot_leave_the_run(tmp_path, slug):
    with (
        create_run(tmp_path, "one", MANIFEST) as run,
        pytest.raises(StoreError, match="cannot be"),
    ):
        run.write_kernel(slug, "")


@pytest.mark.parametrize("name", ["latest", "../up", "a/b", ".hidden", "two words", "-x"])
def test_an_impossible_name_is_refused(tmp_path, name):
    with pytest.raises(StoreError, match="cannot name a run"):
        create_run(tmp_path, name, MANIFEST)
    assert run_names(tmp_path) == []


def test_a_taken_name_is_refused_and_the_old_run_kept(tmp_path):
    with create_run(tmp_path, "one", MANIFEST) as run:
        run.journal.append("lm", "a", {})
    with pytest.raises(StoreError) as caught:
        create_run(tmp_path, "one", {})
    assert "this run exists" in one_line(caught)
    with open_run("one", tmp_path) as run:
        assert run.journal.count("lm") == 1


def test_runs_are_found_by_name_by_path_and_as_the_newest(tmp_path, monkeypatch):
    for name in ("b", "a"):
        create_run(tmp_path, name, MANIFEST).close()
    monkeypatch.chdir(tmp_path)
    for wanted in ("a", "latest", tmp_path / "a", "./a"):
        with open_run(wanted, tmp_path) as run:
            assert run.name == "a"
    with open_run(tmp_path / "b", "elsewhere") as run:
        assert run.name == "b"


def test_an_unknown_run_lists_near_ones(tmp_path):
    create_run(tmp_path, "softmax-cpp-1", MANIFEST).close()
    with pytest.raises(UnknownName) as caught:
        open_run("softmax-cpp-2", tmp_path)
    assert "did you mean softmax-cpp-1" in one_line(caught)


@pytest.mark.parametrize("wanted", ["latest", "one"])
def test_a_folder_without_runs_says_so(tmp_path, wanted):
    with pytest.raises(UnknownName) as caught:
        open_run(wanted, tmp_path / "nowhere")
    assert "holds no runs" in one_line(caught)


def test_a_folder_killed_before_its_manifest_is_no_run(tmp_path):
    (tmp_path / "half").mkdir()
    assert run_names(tmp_path) == []
    with pytest.raises(UnknownName):
        open_run("half", tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "does not read as JSON"),
        ("[]", "not the manifest of a run"),
        ('{"format": 99, "kernelopt": "9.9"}', "newer kernelopt (9.9); update"),
    ],
)
def test_an_unusable_manifest_is_one_clear_line(tmp_path, text, words):
    create_run(tmp_path, "one", MANIFEST).close()
    (tmp_path / "one/manifest.json").write_text(text)
    with pytest.raises(StoreError) as caught:
        open_run("one", tmp_path)
    assert words in one_line(caught) and "manifest.json" in one_line(caught)
    assert run_names(tmp_path) == ["one"]


@pytest.mark.parametrize("damage", ["missing", "empty"])
@pytest.mark.parametrize("write", [True, False])
def test_a_vanished_journal_is_not_taken_for_an_empty_one(tmp_path, damage, write):
    create_run(tmp_path, "one", MANIFEST).close()
    journal = tmp_path / "one/journal.sqlite"
    journal.unlink() if damage == "missing" else journal.write_bytes(b"")
    with pytest.raises(StoreError) as caught:
        open_run("one", tmp_path, write=write)
    assert "the journal is missing or empty" in one_line(caught)


def test_a_damaged_journal_is_repaired_by_the_writer_and_says_what_is_lost(tmp_path):
    with create_run(tmp_path, "one", MANIFEST) as run:
        for number in range(5):
            run.journal.append("lm", f"call-{number}", {"text": f"<{number}>"})
    path = tmp_path / "one/journal.sqlite"
    path.write_bytes(path.read_bytes().replace(b"<3>", b"<8>"))
    with open_run("one", tmp_path, write=True) as run:
        assert run.journal.damaged() == ["event 4 (lm call-3): its checksum does not match"]
        assert [e.key for e in run.journal.read()] == ["call-0", "call-1", "call-2", "call-4"]


def test_a_reader_may_not_write(tmp_path):
    create_run(tmp_path, "one", MANIFEST).close()
    with open_run("one", tmp_path) as run:
        for write in (
            lambda: run.write_kernel("a", ""),
            lambda: run.write_prompt("a", ""),
            lambda: run.update_manifest(a=1),
            lambda: run.journal.append("lm", "a", {}),
        ):
            with pytest.raises(StoreError):
                write()


def test_readers_read_while_the_writer_writes(tmp_path):
    with create_run(tmp_path, "one", MANIFEST) as writer:
        writer.journal.append("lm", "a", {})
        with open_run("one", tmp_path) as reader:
            assert reader.journal.count("lm") == 1
            assert reader.writer_pid == os.getpid()
    with open_run("one", tmp_path) as reader:
        assert reader.writer_pid is None


def test_a_second_writer_in_the_same_process_is_refused(tmp_path):
    with create_run(tmp_path, "one", MANIFEST):
        with pytest.raises(StoreError) as caught:
            open_run("one", tmp_path, write=True)
        assert f"process {os.getpid()} is writing this run" in one_line(caught)
    open_run("one", tmp_path, write=True).close()


WRITER = """
    import sys
    from kernelopt.store.run import open_run
    run = open_run("one", sys.argv[1], write=True)
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_is_gone_even_by_sigkill(tmp_path):
    create_run(tmp_path, "one", MANIFEST).close()
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    with pytest.raises(StoreError) as caught:
        open_run("one", tmp_path, write=True)
    assert f"process {process.pid} is writing this run" in one_line(caught)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with open_run("one", tmp_path) as reader:
        assert reader.writer_pid is None  # the file that names it is still there
    with open_run("one", tmp_path, write=True) as run:
        assert run.writer_pid == os.getpid()


def test_a_reused_process_id_is_not_taken_for_the_writer(tmp_path):
    create_run(tmp_path, "one", MANIFEST).close()
    with open_run("one", tmp_path, write=True) as run:
        holder = json.loads((run.folder / "writer.json").read_text())
    (tmp_path / "one/writer.json").write_text(json.dumps({**holder, "started": holder["started"] - 60}))
    with open_run("one", tmp_path) as reader:
        assert reader.writer_pid is None


def test_a_root_below_a_file_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        create_run(tmp_path / "file/runs", "one", MANIFEST)
    assert "not a folder; choose another folder with --runs" in one_line(caught)


def test_an_unwritable_root_is_one_clear_line():
    """Run as a user who may not write there; root may write everywhere."""
    script = """
        import os, sys
        from pathlib import Path
        from kernelopt.store.run import create_run
        from kernelopt.errors import StoreError
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            create_run(Path(sys.argv[1]), "one", {})
        except StoreError as error:
            print(error)
    """
    with tempfile.TemporaryDirectory() as root:  # tmp_path is closed to other users
        Path(root).chmod(0o555)
        command = [sys.executable, "-c", textwrap.dedent(script), root]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    words = "it cannot be written; give it to this user, or choose another folder with --runs"
    assert done.stdout == f"{root}: {words}\n"
