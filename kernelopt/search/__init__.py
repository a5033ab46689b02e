"""The search over prompts: the only importer of gepa."""
