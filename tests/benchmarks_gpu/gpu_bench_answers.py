"""Evaluations that end in every way, for a process of their own to run."""

import os
import time


def passing(task, languages, settings):
    for language in languages:
        yield {"task": task, "language": language, "status": "PASSED", "settings": settings}


def dying(task, languages, settings):
    for language in languages:
        if language == "cuda":
            os._exit(7)
        yield {"task": task, "language": language, "status": "PASSED"}


def raising(task, languages, settings):
    for language in languages:
        if language == "cuda":
            raise RuntimeError("an illegal memory access was encountered")
        yield {"task": task, "language": language, "status": "PASSED"}


def hanging(task, languages, settings):
    for language in languages:
        if language == "cuda":
            time.sleep(600)
        yield {"task": task, "language": language, "status": "PASSED"}
