"""Task by task: a judge keeps few references, and to make one takes longer than to judge a kernel."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Cheats and honest kernels of a task one after the other, where the first test on the corpus stands."""
    judged = [item for item in items if item.path.name == "test_cheats.py" and _entry(item)]
    places = [place for place, item in enumerate(items) if item in set(judged)]
    for place, item in zip(places, sorted(judged, key=lambda item: _entry(item).task_id), strict=True):
        items[place] = item


def _entry(item):
    call = getattr(item, "callspec", None)
    return call and call.params.get("entry")
