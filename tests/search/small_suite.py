"""Two small tasks, and a scripted model that answers for them as a person with a text file would."""

import hashlib
import re

TASKS = {
    "double": ("x * 2.0", "2.0f * x[i]"),
    "square": ("x * x", "x[i] * x[i]"),
    "shift": ("x + 1.0", "x[i] + 1.0f"),
}
MODULE = """
import torch
from torch import nn

class Model(nn.Module):
    def forward(self, x):
        return {expression}

def get_inputs():
    return [torch.randn(300, 41)]

def get_init_inputs():
    return []
"""
KERNEL = """
import torch
from torch import nn
from kernelopt.inline import cpp

lib = cpp(r'''
extern "C" void f(const float* x, float* y, int64_t n) {{
  for (int64_t i = 0; i < n; ++i) y[i] = {expression};
}}
''')

class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.numel())
        return y
"""


def write_suite(folder):
    """One file a task; the folder is what `--suite` is given."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (expression, _) in TASKS.items():
        (folder / f"{name}.py").write_text(MODULE.format(expression=expression))
    return folder


def answer(prompt_text):
    """Wrong until the guidance says CAREFUL, which the reflection adds."""
    if "# Component" in prompt_text:
        current = re.search(r"# Current text\s+```\n(.*?)\n```", prompt_text, re.DOTALL)[1]
        # Another text for another prompt: what was rejected once is not tried again.
        mark = hashlib.sha256(prompt_text.encode()).hexdigest()[:8]
        return f"Here.\n\n```\n{current}\nBe CAREFUL ({mark}).\n```\n"
    for torch_expression, expression in TASKS.values():
        if f"return {torch_expression}" in prompt_text:
            wrong = "" if "CAREFUL" in prompt_text else " + 3.0f"
            return f"```python\n{KERNEL.format(expression=expression + wrong)}```"
    return "I do not know this task."
