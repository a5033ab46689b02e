"""The Dockerfiles, as far as can be told without pulling a base: rules, pins, and the worker that they start.

Each rule of `dockerfile_rules` stands here with something that it catches.
"""

import contextlib
import json
import sys
import tomllib
from pathlib import Path

import dockerfile_rules as rules
import pytest
from packaging.requirements import Requirement

from kernelopt.resources import folder as data_folder
from kernelopt.sandboxes import _docker_container as containers
from kernelopt.sandboxes import _docker_engine as engine
from kernelopt.sandboxes.docker import DockerSandbox

ROOT = Path(__file__).parents[1]
NAMES = ["Dockerfile.cuda", "Dockerfile.npu"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def missing():
    made = DockerSandbox()
    try:
        return made.missing()
    finally:
        made.close()


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_rules(name):
    assert rules.problems(rules.read(ROOT / name, ROOT)) == []


ENTRY = "/opt/kernelopt/sandbox/worker.py"
GOOD = f"""
ARG BASE=debian:12.9
FROM ${{BASE}}
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update \\
    # a comment between continued lines
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends g++ \\
    && rm -rf /var/lib/apt/lists/*
COPY constraints.txt /opt/
RUN pip install --no-cache-dir --constraint /opt/constraints.txt numpy "torch[extra]" ./a.whl | cat
RUN test -f {ENTRY}
WORKDIR /work
USER 65534:65534
ENTRYPOINT ["python3", "-I", "-X", "utf8", "{ENTRY}"]
"""
PINS = "# exact\nnumpy==2.4.6\ntorch==2.13.0  # and a word\n"


@pytest.fixture
def checked(tmp_path):
    """A function: what is wrong with a Dockerfile, in a folder with one pin file and the worker."""
    for name, text in {
        "constraints.txt": PINS,
        "sandbox/worker.py": "",
        "secret/a.key": "",
        ".dockerignore": "secret\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def check(text):
        path = tmp_path / "Dockerfile"
        path.write_text(text)
        return rules.problems(rules.read(path, tmp_path))

    return check


def test_a_good_one_passes(checked):
    assert checked(GOOD) == []


BROKEN = [
    ("known_words", "COPY constraints", "ADD constraints"),
    ("known_words", "USER 65534", "USR 65534"),
    ("known_words", "ARG BASE", "MAINTAINER someone\nARG BASE"),
    ("pinned_base", "debian:12.9", "debian:latest"),
    ("pinned_base", "debian:12.9", "debian"),
    ("pinned_base", "ARG BASE=debian:12.9", "ARG BASE"),
    ("pinned_base", "ARG BASE=debian:12.9", "ARG BASE=registry.example:5000/debian"),
    ("no_sudo", "RUN test", "RUN sudo test"),
    ("tidy_apt", "--no-install-recommends ", ""),
    ("tidy_apt", "--yes ", ""),
    ("tidy_apt", " \\\n    && rm -rf /var/lib/apt/lists/*", ""),
    ("tidy_apt", "    && rm -rf /var/lib/apt/lists/*", "    && true\nRUN rm -rf /var/lib/apt/lists/*"),
    ("tidy_apt", "apt-get update \\", "true \\"),
    ("tidy_apt", "apt-get update", "apt update"),
    ("pinned_pip", "--constraint /opt/constraints.txt ", ""),
    ("pinned_pip", "numpy", "scipy"),
    ("pinned_pip", "numpy", "'scipy>=1'"),
    ("pinned_pip", "numpy", "numpy && python3 -m pip install --no-cache-dir scipy"),
    ("pinned_pip", "--no-cache-dir ", ""),
    ("plain_user", "USER 65534:65534", ""),
    ("plain_user", "USER 65534:65534", "USER 65534\nUSER root"),
    ("plain_user", "USER 65534:65534", "USER 0"),
    ("plain_user", "USER 65534:65534", "USER nobody"),
    ("plain_user", "ENTRYPOINT", "FROM debian:12.9\nENTRYPOINT"),
    ("absolute_workdir", "WORKDIR /work", "WORKDIR work"),
    ("absolute_workdir", "RUN test", "RUN cd /work && test"),
    ("no_secrets", "WORKDIR", "ENV OPENAI_API_KEY=none\nWORKDIR"),
    ("no_secrets", "WORKDIR", "ARG HF_TOKEN\nWORKDIR"),
    ("no_secrets", "WORKDIR", "ENV A=1 DB_PASSWORD=x\nWORKDIR"),
    ("no_secrets", "WORKDIR", "ENV PROXY=http://me:word@proxy:1\nWORKDIR"),
    ("no_secrets", "WORKDIR", "RUN echo sk-abcdefgh123\nWORKDIR"),
    ("pipefail", 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\n', ""),
    ("pipefail", "RUN test", 'SHELL ["/bin/sh", "-c"]\nRUN true | test'),
    ("exec_form", "WORKDIR", "CMD python3 worker.py\nWORKDIR"),
    ("copies_exist", "COPY constraints.txt", "COPY constraints.txt requirements.txt"),
    ("copies_exist", "COPY constraints.txt", "COPY secret"),
    ("starts_our_worker", '"-I", ', ""),
    ("starts_our_worker", '"python3"', '"/usr/bin/python3"'),
    ("starts_our_worker", "sandbox/worker.py", "sandbox/other.py"),
    ("starts_our_worker", f"RUN test -f {ENTRY}\n", ""),
    ("starts_our_worker", "WORKDIR", f"LABEL {engine.HOST_SYSTEM}=1\nWORKDIR"),
    ("starts_our_worker", "ENTRYPOINT", "CMD"),
]


@pytest.mark.parametrize(("rule", "good", "bad"), BROKEN)
def test_a_rule_catches_what_breaks_it(checked, rule, good, bad):
    assert good in GOOD
    found = checked(GOOD.replace(good, bad))
    assert [what for what in found if what.startswith(f"{rule}: ")], found


def test_no_rule_is_without_a_broken_example():
    assert {rule.__name__ for rule in rules.RULES} == {name for name, *_ in BROKEN}


def test_keys_that_lie_beside_the_sources_are_told(checked, tmp_path):
    (tmp_path / ".dockerignore").unlink()
    assert any("a.key" in what for what in checked(GOOD))


def test_a_range_is_no_pin(checked, tmp_path):
    (tmp_path / "constraints.txt").write_text("numpy>=2\n")
    with pytest.raises(AssertionError, match="no exact version"):
        checked(GOOD)


def test_what_is_not_named_stays_out_of_the_build(tmp_path):
    """Runs hold transcripts, a checkout holds its history, and a folder whatever somebody left in it."""
    (tmp_path / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    unwanted = ["runs/a/journal.sqlite", ".git/config", "notes.txt", "kernelopt/.env", "sandbox/a.pem"]
    for name in ["kernelopt/task.py", "kernelopt/__pycache__/task.cpython-312.pyc", *unwanted]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    files = {name for name in rules.context(tmp_path) if (tmp_path / name).is_file()}
    assert files == {"kernelopt/task.py", ".dockerignore"}


def requirements(*extras):
    """What a wheel of ours asks for, with those extras."""
    groups = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return [Requirement(text) for group in groups for text in group]


def test_all_that_kernelopt_asks_for_is_pinned_to_a_version_that_it_takes():
    exact = rules.pins(ROOT / "constraints.txt")
    for wanted in requirements("cuda"):
        assert wanted.specifier.contains(exact[rules.normal(wanted.name)]), wanted


def test_the_base_has_the_cuda_that_the_pinned_torch_asks_for():
    toolkit = rules.pins(ROOT / "constraints.txt")["cuda-toolkit"]
    base = rules.parse((ROOT / "Dockerfile.cuda").read_text())[0]
    assert base.word == "ARG"
    assert base.text.partition(":")[2].split(".")[:2] == toolkit.split(".")[:2]


@pytest.mark.engine
@pytest.mark.xdist_group("engine")
@pytest.mark.parametrize("name", NAMES)
def test_its_entry_starts_the_worker_in_a_container(name):
    """In an image of empty folders into which this machine's system and our sandbox/ are mounted, not the
    image that the file would build: that one takes a base that is not here.
    """
    if problem := missing():
        pytest.skip(problem)
    entry = json.loads(rules.read(ROOT / name, ROOT).all("ENTRYPOINT")[-1].text)
    made = DockerSandbox()
    with contextlib.ExitStack() as stack:
        stack.callback(made.close)
        client = stack.enter_context(contextlib.closing(engine.connect()))
        options = made._options(client, entry, {"PATH": str(Path(sys.executable).parent)})
        place = str(Path(entry[-1]).parent)
        mount = {**options["mounts"][0], "Target": place, "Source": str(data_folder("sandbox"))}
        options = {**options, "mounts": [*options["mounts"], mount], **containers.limits(2 << 30, 64)}
        channel = containers.launch(client, options, made.room)
        stack.callback(channel.close)
        assert "ready" in json.loads(channel.reader.readline())
