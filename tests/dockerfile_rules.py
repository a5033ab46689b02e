"""What is asked of our Dockerfiles, a rule a function: hadolint's that matter to them, and our own.

A rule takes a `Dockerfile` and yields what is wrong, one line each. Numbers like DL3006 are hadolint's.
"""

import fnmatch
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from docker.utils.build import exclude_paths

from kernelopt.sandboxes._local import worker_command

Rule = Callable[["Dockerfile"], Iterator[str]]


@dataclass(frozen=True)
class Step:
    """One instruction, its continued lines joined."""

    word: str
    text: str
    line: int


@dataclass(frozen=True)
class Dockerfile:
    """A parsed file and the folder that it is built from."""

    steps: list[Step]
    root: Path
    context: frozenset[str] = field(default=frozenset())
    """Paths, from `root`, that .dockerignore lets into the build."""

    def all(self, *words: str) -> list[Step]:
        return [step for step in self.steps if step.word in words]

    def last_stage(self) -> list[Step]:
        start = max(index for index, step in enumerate(self.steps) if step.word == "FROM")
        return self.steps[start:]


def read(path: Path, root: Path) -> Dockerfile:
    """Parse `path`, to be built from `root`."""
    return Dockerfile(parse(path.read_text()), root, context(root))


def parse(text: str) -> list[Step]:
    """Instructions of a Dockerfile. Heredocs are not known: a line of one fails as an unknown word."""
    steps, parts, start = [], [], 0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#") or not line.strip():
            continue  # between continued lines as well
        start = start if parts else number
        parts.append(line.strip().removesuffix("\\").strip())
        if not line.rstrip().endswith("\\"):
            word, _, rest = " ".join(parts).partition(" ")
            steps.append(Step(word, rest.strip(), start))
            parts = []
    assert not parts, "the last line is continued"
    return steps


def context(root: Path) -> frozenset[str]:
    """Files and folders that a build from `root` can copy."""
    ignore = root / ".dockerignore"
    lines = ignore.read_text().splitlines() if ignore.exists() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return frozenset(exclude_paths(str(root), patterns, dockerfile=".dockerignore"))


def commands(step: Step) -> list[list[str]]:
    """The single commands of a RUN in words, without the variables set before them."""
    lexer = shlex.shlex(step.text, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("&|;"):
            found.append([])
        elif found[-1] or not re.match(r"\w+=", word):
            found[-1].append(word)
    return [words for words in found if words]


def runs(file: Dockerfile) -> Iterator[tuple[Step, list[str]]]:
    for step in file.all("RUN"):
        for words in commands(step):
            yield step, words


WORDS = {"ARG", "FROM", "SHELL", "RUN", "ENV", "COPY", "WORKDIR", "USER", "ENTRYPOINT", "CMD", "LABEL"}


def known_words(file: Dockerfile) -> Iterator[str]:
    """COPY, not ADD, which fetches and unpacks (DL3020); no MAINTAINER (DL4000); no spelling mistakes."""
    for step in file.steps:
        if step.word not in WORDS:
            yield f"line {step.line}: {step.word} is not to be used"


def pinned_base(file: Dockerfile) -> Iterator[str]:
    """Every base has a tag, and not latest (DL3006, DL3007). A stage of this file needs none."""
    defaults = {step.text.partition("=")[0]: step.text.partition("=")[2] for step in file.all("ARG")}
    stages = set()
    for step in file.all("FROM"):
        name, *alias = step.text.split()
        image = re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda m: defaults.get(m[1] or m[2], ""), name)
        tag = image.rpartition("/")[2].partition(":")[2]
        if image not in stages and (not tag or tag == "latest"):
            yield f"line {step.line}: base {image or name!r} has no tag of its own"
        stages.update(alias[1:])


def no_sudo(file: Dockerfile) -> Iterator[str]:
    """No sudo (DL3004)."""
    for step, words in runs(file):
        if "sudo" in words:
            yield f"line {step.line}: sudo"


def tidy_apt(file: Dockerfile) -> Iterator[str]:
    """apt-get, without asking, without recommended packages, its lists removed in the same layer
    (DL3027, DL3014, DL3015, DL3009); and lists that are fresh, because they were fetched in it.
    """
    for step in file.all("RUN"):
        lines = commands(step)
        if any(words[0] == "apt" for words in lines):
            yield f"line {step.line}: apt is for people; use apt-get"
        installs = [words for words in lines if words[:2] == ["apt-get", "install"]]
        updates = ["apt-get", "update"] in [words[:2] for words in lines]
        removes = any(words[0] == "rm" and "/var/lib/apt/lists/*" in words for words in lines)
        for words in installs:
            if not {"-y", "--yes"} & set(words):
                yield f"line {step.line}: apt-get install asks questions"
            if "--no-install-recommends" not in words:
                yield f"line {step.line}: apt-get install without --no-install-recommends"
        if installs and not updates:
            yield f"line {step.line}: apt-get install without apt-get update in the same layer"
        if (installs or updates) and not removes:
            yield f"line {step.line}: the lists of apt-get stay in the layer"


PIP_VALUES = {"--constraint", "-c", "--requirement", "-r", "--index-url", "--wheel-dir"}


def pinned_pip(file: Dockerfile) -> Iterator[str]:
    """Every version is pinned, on the line or in a file of exact versions (DL3013); no cache (DL3042)."""
    for step, words in runs(file):
        called = words[2:] if words[1:2] == ["-m"] else words
        if called[:2] not in (["pip", "install"], ["pip3", "install"]):
            continue
        rest = called[2:]
        if "--no-cache-dir" not in rest:
            yield f"line {step.line}: pip keeps its cache in the layer"
        files = [rest[i + 1] for i, word in enumerate(rest[:-1]) if word in PIP_VALUES]
        lists = {name for name in file.context if PurePosixPath(name).name in map(basename, files)}
        exact = pins(file.root / min(lists)) if lists else {}
        for wanted in required(rest):
            if "==" not in wanted and normal(wanted) not in exact:
                yield f"line {step.line}: pip may install any version of {wanted}"


def basename(path: str) -> str:
    return PurePosixPath(path).name


def normal(name: str) -> str:
    """A package's name as indexes compare them."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def required(words: list[str]) -> Iterator[str]:
    """What a `pip install` names, without options, files and wheels."""
    previous = ""
    for word in words:
        option = word.startswith(("-", "$")) or previous in PIP_VALUES
        if not option and "/" not in word and "$" not in word:
            yield word
        previous = word


def pins(path: Path) -> dict[str, str]:
    """Package to exact version. Fails on a line that is not of the form ``name==version``."""
    found = {}
    for line in path.read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text:
            match = re.fullmatch(r"([\w.-]+)==([\w.+!-]+)", text)
            assert match, f"{path.name}: {text!r} is no exact version"
            found[normal(match[1])] = match[2]
    return found


def plain_user(file: Dockerfile) -> Iterator[str]:
    """The last user is not root (DL3002), and a number: the image's passwd decides nothing."""
    users = [step.text for step in file.last_stage() if step.word == "USER"]
    if not users:
        yield "the last stage runs as root"
    elif not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        yield f"the last user is {users[-1]!r}, which is no number other than root's"


def absolute_workdir(file: Dockerfile) -> Iterator[str]:
    """Folders are absolute (DL3000), and entered by WORKDIR, not by cd (DL3003)."""
    for step in file.all("WORKDIR"):
        if not step.text.startswith(("/", "$")):
            yield f"line {step.line}: WORKDIR {step.text} depends on the base"
    for step, words in runs(file):
        if words[0] == "cd":
            yield f"line {step.line}: cd lasts one RUN; use WORKDIR"


SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?![A-Z])", re.IGNORECASE)
KEY_SHAPE = re.compile(r"\b(sk|pk|gsk|hf|xai|ghp)[-_]\w{8,}|-----BEGIN|://[^/\s:@]+:[^/\s@]+@")


def no_secrets(file: Dockerfile) -> Iterator[str]:
    """No ENV or ARG for a key, nothing shaped like one, no file of that kind copied."""
    for step in file.steps:
        names = re.findall(r"(\w+)=", step.text) + step.text.split("=")[:1]
        if step.word in ("ENV", "ARG") and any(SECRET.search(name) for name in names):
            yield f"line {step.line}: {step.word} holds a key: an image keeps it for good"
        if KEY_SHAPE.search(step.text):
            yield f"line {step.line}: this looks like a key"
    for name in sorted(file.context):
        if fnmatch.fnmatch(basename(name), "*.env") or basename(name).endswith((".pem", ".key")):
            yield f".dockerignore lets {name} into the build"


def pipefail(file: Dockerfile) -> Iterator[str]:
    """A pipe in a RUN fails with any of its commands (DL4006)."""
    safe = False
    for step in file.steps:
        if step.word in ("FROM", "SHELL"):
            # A stage made of another one of this file has its shell, but to say it again costs a line.
            safe = safe and step.word == "FROM" if "FROM" in step.word else "pipefail" in step.text
        elif step.word == "RUN" and re.search(r"(?<!\|)\|(?!\|)", step.text) and not safe:
            yield f"line {step.line}: a pipe, and no SHELL with pipefail before it"


def exec_form(file: Dockerfile) -> Iterator[str]:
    """CMD and ENTRYPOINT are JSON: no shell between the engine and the worker (DL3025)."""
    for step in file.all("CMD", "ENTRYPOINT"):
        if not step.text.startswith("["):
            yield f"line {step.line}: {step.word} goes through a shell"


def sources(step: Step) -> list[str]:
    """What a COPY takes; of another stage nothing."""
    words = step.text.split()
    if any(word.startswith("--from=") for word in words):
        return []
    return [word for word in words if not word.startswith("--")][:-1]


def copies_exist(file: Dockerfile) -> Iterator[str]:
    """Every source of a COPY is there, and .dockerignore lets it in."""
    for step in file.all("COPY"):
        for source in sources(step):
            name = source.strip("/").removeprefix("./")
            if not (file.root / name).exists():
                yield f"line {step.line}: {source} does not exist"
            elif name not in file.context:
                yield f"line {step.line}: {source} is kept out by .dockerignore"


HOST_SYSTEM = "kernelopt.host-system"
"""The label of images without a system (see kernelopt/sandboxes/_docker_engine.py)."""


def starts_our_worker(file: Dockerfile) -> Iterator[str]:
    """The entry is what every sandbox runs: the same flags, and a file that our wheel brings."""
    entries = [step for step in file.last_stage() if step.word == "ENTRYPOINT"]
    command = json.loads(entries[-1].text) if entries and entries[-1].text.startswith("[") else []
    _, *flags, place = worker_command()
    if command[:-1] != ["python3", *flags]:
        yield f"the entry is {command}, and not python3 with {flags} and a file"
        return
    brought = f"{PurePosixPath(command[-1]).parent.name}/{basename(command[-1])}"
    if brought != f"{Path(place).parent.name}/{basename(place)}" or brought not in file.context:
        yield f"{command[-1]} is no file of ours"
    if not any(words == ["test", "-f", command[-1]] for _, words in runs(file)):
        yield f"nothing makes sure that {command[-1]} is there"
    if any(HOST_SYSTEM in step.text for step in file.all("LABEL")):
        yield f"the label {HOST_SYSTEM} would have the host's system mounted over it"


RULES: list[Rule] = [
    known_words,
    pinned_base,
    no_sudo,
    tidy_apt,
    pinned_pip,
    plain_user,
    absolute_workdir,
    no_secrets,
    pipefail,
    exec_form,
    copies_exist,
    starts_our_worker,
]


def problems(file: Dockerfile) -> list[str]:
    """Everything that is wrong with a file."""
    return [f"{rule.__name__}: {what}" for rule in RULES for what in rule(file)]
