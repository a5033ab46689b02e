"""The only writer of run state: journal, artifacts, manifest."""
