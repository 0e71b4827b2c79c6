import pytest

from qa_gen.numbers import numbers_in


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Score: 77.02 out of 100.", [77.02, 100]),
        ("from 2.62 s to 4.53 s", [2.62, 4.53]),
        ("lean to 30–45° or 30-45 degrees", [30, 45, 30, 45]),
        ("about forty-five degrees, not Ninety", [45, 90]),
        ("one arm, two hands, both feet", []),
        ("AK04:ET015 has no numbers", []),
        ("at 90degrees, from 2.62s on", [90, 2.62]),
    ],
)
def test_numbers_in(text: str, numbers: list[float]) -> None:
    assert numbers_in(text) == numbers
