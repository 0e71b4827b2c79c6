"""Films as the eyes get them: in other light, moved by a few pixels."""

import numpy as np
import pytest

from pretrain.films import SIZE
from pretrain.patches import vary


def test_a_moved_film_has_no_border_and_no_two_films_have_one_light() -> None:
    films = [np.full((2, SIZE, SIZE, 3), 128, np.uint8) for _ in range(2)]
    seen = vary(films, np.random.default_rng(0)).numpy()
    assert seen.shape == (2, 2, SIZE, SIZE, 3)
    middle = seen.mean(axis=(1, 2, 3), keepdims=True)
    # Grain alone differs from place to place, and it is small beside a black border.
    assert np.abs(seen - middle).max() < 0.15
    assert len(np.unique(middle.round(3), axis=0)) == len(films)


def test_a_film_is_moved_as_a_whole_by_at_most_five_pixels() -> None:
    film = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    film[:, 50:60, 50:60] = 255
    places = set()
    for seed in range(8):
        (seen,) = vary([film], np.random.default_rng(seed)).numpy()
        bright = np.argwhere(seen[..., 0] > 0.4)
        low, high = bright.min(axis=0), bright.max(axis=0)
        assert (high - low).tolist() == [1, 9, 9]
        places.add((int(low[1]) - 50, int(low[2]) - 50))
    assert len(places) > 4
    assert max(abs(shift) for place in places for shift in place) == pytest.approx(5, abs=1)
