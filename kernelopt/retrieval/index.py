"""placeholder, replaced by the real index"""


def open_index():
    class Empty:
        def search(self, query, *, target, limit=3):
            return []

    return Empty()
