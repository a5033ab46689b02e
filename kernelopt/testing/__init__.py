"""What every plugin of a kind must do, as test classes to inherit.

A plugin's test module subclasses the contract of its protocol in a class named ``Test…`` and defines the
fixtures that the contract's docstring lists; pytest collects the inherited tests.
"""

from __future__ import annotations

from kernelopt.testing.lms import LMContract
from kernelopt.testing.sandboxes import SandboxContract

__all__ = ["LMContract", "SandboxContract"]
