"""Numbers in digits and in words; small words count only where they measure something."""

import pytest

from flex.numbers import find_numbers, numbers_in


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Score: 77.02 out of 100.", [77.02, 100]),
        ("from 2.62 s to 4.53 s", [2.62, 4.53]),
        ("lean to 30–45° or 30-45 degrees", [30, 45, 30, 45]),
        ("about forty-five degrees, not Ninety", [45, 90]),
        ("one arm, two hands, both feet", []),
        ("your two feet were apart, one in front of the other", []),
        ("AK04:ET015 has no numbers", []),
        ("at 90degrees, from 2.62s on", [90, 2.62]),
        ("You drifted about two inches forward.", [2]),
        ("Wait three seconds, then go.", [3]),
        ("two or three inches too far", [2, 3]),
        ("Do three sets of twelve.", [3, 12]),
        ("a three-second pause", [3]),
        ("half an inch", [0.5]),
        ("ninety-two out of a hundred", [92, 100]),
        ("zero out of 100", [0, 100]),
        ("One of these days", []),
        ("two feet away", [2]),
        ("fifteen percent", [15]),
    ],
)
def test_numbers_in(text: str, numbers: list[float]) -> None:
    assert numbers_in(text) == numbers


def test_numbers_have_a_place() -> None:
    text = "about forty-five degrees, 3.5 s"
    assert [text[n.start : n.end] for n in find_numbers(text)] == ["forty-five", "3.5"]
