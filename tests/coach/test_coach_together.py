"""What comes in while something is done is done next, together with others of its kind."""

import threading

from coach.together import Together


def test_who_waits_is_next_with_others_of_its_kind() -> None:
    done: list[tuple[str, list[int]]] = []
    begun, go_on, over = threading.Event(), threading.Event(), threading.Event()

    def work(kind: str, ones: list[int]) -> None:
        done.append((kind, ones))
        begun.set()
        go_on.wait(10)
        if len(done) == 6:
            over.set()

    together = Together(work, most=3)
    together.add("tuned", 0)
    together.add("rate", 6, later=True)
    together.add("rate", 7, later=True)
    assert begun.wait(10)
    for kind, number in [("tuned", 1), ("base", 2), *[("tuned", n) for n in (3, 4, 5)]]:
        together.add(kind, number)
    go_on.set()
    assert over.wait(10)
    last = [("rate", [6]), ("rate", [7])]
    assert done == [("tuned", [0]), ("tuned", [1, 3, 4]), ("base", [2]), ("tuned", [5]), *last]


def test_it_begins_again_after_a_rest() -> None:
    done: list[int] = []

    def work(_: str, ones: list[int]) -> None:
        done.extend(ones)

    together = Together(work, most=2)
    for number in range(3):
        together.add("tuned", number)
        while threading.active_count() > 1 and len(done) <= number:
            threading.Event().wait(0.01)
    assert done == [0, 1, 2]
