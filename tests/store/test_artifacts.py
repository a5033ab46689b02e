"""Artifacts are found by their content, whole or not at all."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelopt.errors import StoreError
from kernelopt.store.artifacts import Artifacts


@pytest.fixture
def artifacts(tmp_path):
    return Artifacts(tmp_path / "artifacts")


def test_the_same_text_has_one_name_and_one_file(artifacts):
    first, second = artifacts.put("int main() {}\n"), artifacts.put("int main() {}\n")
    assert first == second and len(first) == 32
    files = [path for path in artifacts.folder.rglob("*") if path.is_file()]
    assert [path.parent.name + path.name for path in files] == [first]
    assert files[0].read_text() == "int main() {}\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(text=st.text(st.characters(codec=None)))
def test_every_text_comes_back_as_it_was(artifacts, text):
    assert artifacts.get(artifacts.put(text)) == text


def test_the_empty_text_is_a_text(artifacts):
    assert artifacts.get(artifacts.put("")) == ""


def test_damage_is_detected_and_healed_by_putting_the_text_again(artifacts):
    name = artifacts.put("a kernel")
    path = artifacts.folder / name[:2] / name[2:]
    path.write_bytes(b"a kernel?")
    with pytest.raises(StoreError, match="damaged, its content does not match its name"):
        artifacts.get(name)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(StoreError, match="does not read as text"):
        artifacts.get(name)
    assert artifacts.put("a kernel") == name
    assert artifacts.get(name) == "a kernel"


@pytest.mark.parametrize("name", ["0" * 32, "../../etc/passwd", "", "XYZ"])
def test_what_was_never_stored_is_one_clear_line(artifacts, name):
    with pytest.raises(StoreError) as caught:
        artifacts.get(name)
    assert str(artifacts.folder) in str(caught.value) and "\n" not in str(caught.value)


def test_threads_may_put_the_same_text_at_once(artifacts):
    text, names = "x" * 200_000, []
    threads = [threading.Thread(target=lambda: names.append(artifacts.put(text))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 8 and len(set(names)) == 1
    assert artifacts.get(names[0]) == text
    assert len([path for path in artifacts.folder.rglob("*") if path.is_file()]) == 1
