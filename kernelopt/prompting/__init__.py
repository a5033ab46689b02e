"""Candidate parts, rendering of prompts, extraction of code from replies."""
