"""What the simulator's commands read from the words of their options."""

from flex.problems import InputError, Problem


def views_of(text: str) -> tuple[int, ...]:
    """Return the cameras in "1,2,5", sorted; none for "none".

    Raises:
        InputError: a word that is no number.
    """
    if text.strip().lower() == "none":
        return ()
    words = [word.strip() for word in text.split(",")]
    if wrong := [word for word in words if not word.isdecimal()]:
        message = f"expected numbers such as 1,2 or none, found {', '.join(map(repr, wrong))}"
        raise InputError([Problem("--views", message)])
    return tuple(sorted(set(map(int, words))))


def actions_of(text: str) -> tuple[str, ...] | None:
    """Return the actions in "A01,squat"; `None`, which stands for all of them, for "all"."""
    return None if text.strip().lower() == "all" else tuple(map(str.strip, text.split(",")))
