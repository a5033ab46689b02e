"""Classes that are found through a base of theirs are part of the answer, and looked at as any others."""

import pytest
from inspected import answer, found, rules

TOLD = """
class Kernel:
    kinds = {}
    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls.kinds[cls.__name__] = cls
"""
GLOBAL = """
KINDS = []
class Kernel:
    def __init_subclass__(cls):
        KINDS.append(cls)
"""
META = """
class Kept(type):
    kinds = {}
    def __new__(meta, name, bases, body):
        meta.kinds[name] = made = super().__new__(meta, name, bases, body)
        return made
class Kernel(metaclass=Kept):
    pass
"""
DECORATED = """
KINDS = {}
def kernel(name):
    def put(cls):
        KINDS[name] = cls
        return cls
    return put
class Kernel:
    pass
"""
RUN = """
class Copy(Kernel):
    def __call__(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.numel())
        return y
"""
SOFT = "\nclass Soft(Kernel):\n    def __call__(self, x):\n        return torch.softmax(x, -1)\n"


def chosen(top: str, made: str) -> str:
    return answer("return self.op(x)", init=f"self.op = {made}", top=top)


FINE = {
    "a base that is told": chosen(TOLD + RUN, "Kernel.kinds['Copy']()"),
    "a base that is told, one further": chosen(
        TOLD + RUN.replace("Copy(Kernel)", "Plain(Kernel)") + "class Copy(Plain):\n    pass\n",
        "Kernel.kinds['Copy']()",
    ),
    "a list that is told": chosen(GLOBAL + RUN, "KINDS[-1]()"),
    "a metaclass": chosen(META + RUN, "Kept.kinds['Copy']()"),
    "a decorator": chosen(DECORATED + RUN.replace("class", "@kernel('copy')\nclass", 1), "KINDS['copy']()"),
    "a base that asks": chosen("class Kernel:\n    pass\n" + RUN, "Kernel.__subclasses__()[0]()"),
    "a layer that is called like an operator": answer(
        "return self.linear(x)",
        init="self.linear = Mine(3, 3)",
        top="""
        class Mine(nn.Linear):
            def forward(self, x):
                lib.f(x, self.weight, 1)
                return x
        """,
    ),
}
FALLBACKS = {
    "a base that is told": chosen(TOLD + RUN + SOFT, "Kernel.kinds['Soft']()"),
    "a base that is asked for it": chosen(TOLD + RUN + SOFT, "Kernel.kinds.get('Soft')()"),
    "a list that is told": chosen(GLOBAL + RUN + SOFT, "KINDS[-1]()"),
    "a metaclass": chosen(META + RUN + SOFT, "Kept.kinds['Soft']()"),
    "a metaclass that is asked elsewhere": chosen(META + RUN + SOFT, "make()"),
    "a base that asks": chosen("class Kernel:\n    pass\n" + RUN + SOFT, "Kernel.__subclasses__()[1]()"),
    "a base that asks for the next": chosen(
        "class Kernel:\n    pass\n" + RUN + SOFT,
        "next(each for each in Kernel.__subclasses__() if each.__name__ == 'Soft')()",
    ),
    "a base that asks for all": chosen(
        "class Kernel:\n    pass\n" + RUN + SOFT,
        "{each.__name__: each() for each in Kernel.__subclasses__()}['Soft']",
    ),
    "an operator on what a class of the table gave": answer(
        "return self.op(x).softmax(-1)", init="self.op = Kernel.kinds['Copy']()", top=TOLD + RUN
    ),
    "the same without the object": answer(
        "y = Kernel.kinds['Copy']()(x)\nreturn y.softmax(-1)", top=TOLD + RUN
    ),
    "the same by the name of the class": answer("y = Copy()(x)\nreturn y.softmax(-1)", top=TOLD + RUN),
    "a layer of PyTorch's under a name of its own": answer(
        "lib.f(x, x, 1)\nreturn self.linear(x)",
        init="self.linear = Mine(3, 3)",
        top="class Mine(nn.Linear):\n    pass",
    ),
    "a decorator": chosen(
        DECORATED + RUN + SOFT.replace("class", "@kernel('soft')\nclass", 1), "KINDS['soft']()"
    ),
}


@pytest.mark.parametrize("source", FINE.values(), ids=FINE)
def test_classes_that_a_base_finds_are_live(source: str):
    assert found(source) == []


@pytest.mark.parametrize("source", FALLBACKS.values(), ids=FALLBACKS)
def test_a_class_of_a_table_that_lets_pytorch_compute_is_a_fallback(source: str):
    assert "fallback" in rules(source)


def test_a_class_that_no_base_is_told_of_is_not_live():
    source = chosen("class Kernel:\n    pass\n" + RUN, "Kernel()")

    assert rules(source) == {"never-called"}


@pytest.mark.parametrize(
    "asked",
    ["object.__subclasses__()", "type.__subclasses__(object)", "Kernel.__subclasses__(object)", "K()"],
)
def test_subclasses_of_anything_else_are_looked_for_in_the_heap(asked: str):
    top = (
        "class Kernel(type):\n    pass\nK = Kernel.__subclasses__\n"
        if asked == "K()"
        else "class Kernel(type):\n    pass\n"
    )

    assert "frames" in rules(answer(init=f"self.seen = {asked}", top=top))


@pytest.mark.parametrize(
    "top",
    [
        "class Kernel:\n    pass\nKernel = object\n",
        "class Kernel:\n    pass\ndef f(Kernel):\n    return Kernel.__subclasses__()\nf(object)\n",
        "class Kernel:\n    pass\nmatch object:\n    case Kernel:\n        Kernel.__subclasses__()\n",
    ],
)
def test_subclasses_of_a_name_that_is_given_away_are_looked_for_in_the_heap(top: str):
    assert "frames" in rules(answer(init="self.seen = Kernel.__subclasses__()", top=top))
