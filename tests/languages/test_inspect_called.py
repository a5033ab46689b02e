"""A build that nobody is seen to call is only suspect where nothing that can run makes use of one."""

import pytest
from inspected import CALL, answer, found

from kernelopt.languages._inspect import inspect

LAYER = """
class Layer(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.numel())
        return y
"""
FETCHED = "y = torch.empty_like(x)\n{}.f(x, y, x.numel())\nreturn y"
HANDED_ON = {
    "a dict of keywords": answer(CALL.replace("lib.f", 'K["f"]'), top="K = dict(f=lib.f)"),
    "a namespace": answer(
        FETCHED.format("K.lib"), top="import types\nK = types.SimpleNamespace(lib=cpp(''))"
    ),
    "a class method that builds": answer(
        FETCHED.format("Kernels.get()"),
        top="""
        class Kernels:
            _lib = None
            @classmethod
            def get(cls):
                if cls._lib is None:
                    cls._lib = cpp("")
                return cls._lib
        """,
    ),
    "a property": answer(FETCHED.format("self.ops"), methods="@property\ndef ops(self):\n    return cpp('')"),
    "a closure": answer(
        "y = torch.empty_like(x)\nself.op(x, y)\nreturn y",
        init="self.op = make()",
        top="def make():\n    built = cpp('')\n    return lambda x, y: built.f(x, y, x.numel())",
    ),
    "children": answer(
        "for each in self.children():\n    x = each(x)\nreturn x", init="self.a = Layer()", top=LAYER
    ),
    "layers by name": answer("return getattr(self, 'a')(x)", init="self.a = Layer()", top=LAYER),
    "an alias of apply": answer(
        "return op(x)",
        top=LAYER.replace("Layer(nn.Module)", "Op(torch.autograd.Function)") + "\nop = Op.apply",
    ),
    "an object of a C++ class": answer("return self.op.run(x)", init="self.op = lib.Packed(3)"),
    "a class of PyTorch's registry": answer(
        "return self.op.run(x)", init="self.op = torch.classes.mine.Packed(3)"
    ),
}
NEVER = {
    "nothing": answer("return x"),
    "a name alone": answer("lib\nreturn x"),
    "a dead branch": answer("if False:\n    lib.f(x, x, 1)\nreturn x"),
    "the constructor alone": answer("return x", init="lib.f(torch.ones(1), torch.ones(1), 1)"),
    "a function that nobody names": answer("return x", top="def run(x):\n    lib.f(x, x, 1)"),
    "a class that nobody names": answer("return x", top=LAYER),
    "only built again": answer("self.lib = cpp('')\nreturn x"),
}


@pytest.mark.parametrize("source", HANDED_ON.values(), ids=HANDED_ON)
def test_a_build_that_is_handed_on_is_a_note_at_most(source: str):
    assert found(source) == []


@pytest.mark.parametrize("source", NEVER.values(), ids=NEVER)
def test_a_build_that_nothing_uses_is_suspect(source: str):
    assert [each.rule for each in found(source)] == ["never-called"]


def test_a_note_says_that_the_text_does_not_show_the_call():
    (note,) = inspect(HANDED_ON["a property"])
    assert (note.rule, note.suspect) == ("never-called", False)
    assert "does not show by what way" in note.message
