"""What tests need of a report's HTML: its elements and texts, and runs that are out to break it."""

import dataclasses
from dataclasses import dataclass, field
from html.parser import HTMLParser

import big_run
import sample_run as sample

from kernelopt.evaluation import Build, Profile, Status, to_json
from kernelopt.report.html.render import render
from kernelopt.report.html.trove import unpack
from kernelopt.store.run import create_run, open_run

_VOID = {"meta", "br", "wbr", "input", "img", "link", "hr"}

HOSTILE = (
    "</script></style></svg></title><script>window.hacked = 1</script>"
    "<img src=x onerror='window.hacked = 2'><svg onload='window.hacked = 3'>"
    "\" onfocus='window.hacked = 4' autofocus x=\"{{ 7 * 7 }}${7 * 7}"
)
"""One of everything that has ever run where it should only have been shown."""


@dataclass
class Element:
    """An element with its text, children's texts included."""

    tag: str
    attributes: dict
    parents: tuple
    text: str = ""
    own: list = field(default_factory=list)

    def inside(self, name):
        """Whether it stands in the element with that id (or is it)."""
        return any(one.attributes.get("id") == name for one in (*self.parents, self))

    @property
    def classes(self):
        return (self.attributes.get("class") or "").split()


class Page(HTMLParser):
    """All elements of a document, in order. Anything that is not well nested fails."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.html, self.elements, self._open = html, [], []
        self.feed(html)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs), tuple(self._open))
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, dict(attrs), tuple(self._open)))

    def handle_endtag(self, tag):
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data):
        packed = "data-pack" in self._open[-1].attributes if self._open else False
        for element in self._open[-1:] if packed else self._open:
            element.text += data

    def find(self, tag=None, within=None, **attributes):
        """Elements with that tag, inside that id, with those attributes; `style` names one class."""
        style = attributes.pop("style", None)
        return [
            e
            for e in self.elements
            if (tag is None or e.tag == tag)
            and (within is None or e.inside(within))
            and (style is None or style in e.classes)
            and all(e.attributes.get(name) == value for name, value in attributes.items())
        ]

    def pack(self, name):
        """Data of the pack of that name."""
        (holder,) = [e for e in self.elements if e.attributes.get("data-pack") == name]
        return unpack(holder.text)


def page_of(folder, explain=None):
    """The report of the run in `folder`."""
    with open_run(folder) as run:
        return Page(render(run, explain))


def asi(evaluation, source):
    """Stands in for the real feedback."""
    return f"feedback on {evaluation.kernel_hash}: {evaluation.reason}\n{source[:40]}"


def big(root, tasks=40, rollouts=120, **more):
    """A synthetic run of many tasks."""
    return big_run.make(root, "many", tasks, rollouts, **more)


def hostile(root):
    """A run in which every text that a model or a kernel could have written is an attack."""
    manifest = {
        **sample.MANIFEST,
        "tasks": [{"id": f"1/1{HOSTILE}", "slug": "1-1", "name": HOSTILE}],
        "machine": {"cpu": HOSTILE},
        "models": {"lm": HOSTILE},
        "device": HOSTILE,
    }
    with create_run(root, "hostile", manifest) as run:
        add = run.journal.append
        add("session", "1", {"action": "start", "reason": "", "budget": {}})
        profile = Profile(HOSTILE, {HOSTILE: 1.0}, HOSTILE)
        good = sample.passed("1/1", "k-good", 1.5, 2.0, 2.5)
        good = dataclasses.replace(
            good,
            build=Build(HOSTILE, HOSTILE, 1.0, False),
            profiles=(profile,),
            log=HOSTILE,
            environment={HOSTILE: HOSTILE},
            missing_baselines={HOSTILE: HOSTILE},
            isolation=HOSTILE,
        )
        bad = dataclasses.replace(good, kernel_hash="k-bad", status=Status.WRONG_VALUE, reason=HOSTILE)
        for evaluation, text in ((bad, HOSTILE), (good, f"{HOSTILE}\n\u202e'''{HOSTILE}\n#include <x>\n'''")):
            source = run.artifacts.put(text)
            add("evaluation", f"1-1:{evaluation.kernel_hash}", {**to_json(evaluation), "source": source})
        attempts = [sample.attempt(bad, score=0.1), sample.attempt(good, "refine-1", 0.6)]
        sample.rollout(add, sample.SEED, "1-1", attempts)
        for index, parents in ((0, []), (1, [0])):
            how = "reflection" if index else HOSTILE
            made = sample.candidate(index, sample.SEED if not index else HOSTILE, how, parents, {"1-1": 0.6})
            add("candidate", str(index), {**made, "parts": {HOSTILE: HOSTILE * (index + 1)}})
        add("proposal", "1", {"iteration": 1, "accepted": False, "reason": HOSTILE, "components": [HOSTILE]})
        add("session", "2", {"action": "stop", "reason": HOSTILE, "budget": {}})
        return run.folder
