"""Decides in two threads, as a server's process does: STORE, PERSON, PERSON, ROUNDS.

Each decision that was acknowledged is printed, so that a test may kill this process and look.
"""

import sys
import threading
from pathlib import Path

from review.decisions import decide
from review.records import get_item
from review.store import Store


def main(path: str, people: list[str], rounds: int) -> None:
    with Store(Path(path), create=False) as store:
        with store.read() as db:
            clips = [row["clip"] for row in db.execute("SELECT clip FROM items ORDER BY id")]

        def work(person: str) -> None:
            for number in range(rounds):
                clip = clips[number % len(clips)]
                version = get_item(store, clip).version
                reason = f"{person} {number}"
                made = decide(store, person, clip, "reject", version=version, reason=reason)
                sys.stdout.write(f"{made.id}\t{reason}\n")
                sys.stdout.flush()

        threads = [threading.Thread(target=work, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:4], int(sys.argv[4]))
