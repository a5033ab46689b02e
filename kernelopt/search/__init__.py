"""The search over prompts: the only importer of gepa."""

from kernelopt._callable import callable_as_api

callable_as_api(__name__)
