"""What `append` acknowledged survives `kill -9`, at whatever moment it comes."""

import random
import signal
import subprocess
import sys
import textwrap
import time

from kernelopt.store.journal import Journal

KILLS = 8
WRITER = textwrap.dedent("""
    import sys, threading
    from pathlib import Path
    from kernelopt.store.journal import Journal

    journal = Journal(Path(sys.argv[1]))
    life = sys.argv[2]
    out = threading.Lock()

    def append_for_ever(name):
        number = 0
        while True:
            key = f"{life}-{name}-{number}"
            seq = journal.append("evaluation", key, {"key": key, "log": key * (number * 37 % 900)})
            with out:
                sys.stdout.write(f"{seq} {key}\\n")
                sys.stdout.flush()
            number += 1

    for name in "ab":
        threading.Thread(target=append_for_ever, args=(name,)).start()
""")


def acknowledged_until_killed(path, life, delay_s):
    """Start a writer, let it acknowledge something, kill it after `delay_s`, return what it said."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(life)], stdout=subprocess.PIPE)
    first = process.stdout.readline()
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    lines = (first + rest).decode().split("\n")[:-1]  # the kill may cut the last line: it does not count
    return {int(seq): key for seq, key in (line.split() for line in lines)}


def test_every_acknowledged_append_survives_sigkill(tmp_path):
    path, chance, acknowledged = tmp_path / "journal.sqlite", random.Random(), {}
    for life in range(KILLS):
        said = acknowledged_until_killed(path, life, chance.uniform(0.0, 0.15))
        assert said and not said.keys() & acknowledged.keys()
        acknowledged |= said
    journal = Journal(path)
    events = {event.seq: event for event in journal.read()}
    assert {seq: events[seq].key for seq in acknowledged} == acknowledged
    for event in events.values():
        number = int(event.key.rpartition("-")[2])
        assert event.data == {"key": event.key, "log": event.key * (number * 37 % 900)}
    assert journal.damaged() == []
    assert sorted(events) == list(range(1, len(events) + 1))
    assert len(events) - len(acknowledged) <= 2 * KILLS  # per thread, one may be written but unsaid
    journal.close()
