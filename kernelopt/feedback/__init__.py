"""Evaluation → actionable side information (ASI), the text that search and people read."""
