"""What people wear: colours that stay recognisable from session to session."""

import numpy as np
import pytest

from flex.graph_file import load_graph
from sim import looks
from sim.settings import load_settings
from sim.study import Study
from sim.subjects import recruit

STUDY = Study(load_graph(), load_settings(), seed=0)


def test_shirts_are_a_fifth_brighter_or_darker_than_their_colour() -> None:
    person = recruit(STUDY)[0]
    worn = [looks.choose_look(STUDY, person, (person.id, f"A{n}")).outfit for n in range(300)]
    ratios = np.log([outfit.top for outfit in worn])[:, None] - np.log(looks._TOPS)
    nearest = np.linalg.norm(ratios, axis=2).argmin(axis=1)
    assert set(nearest) == set(range(len(looks._TOPS)))
    brighter = ratios.mean(axis=2)[np.arange(len(worn)), nearest]
    assert np.std(brighter) == pytest.approx(0.2, abs=0.03)


def test_a_person_keeps_skin_hair_and_shoes_and_changes_clothes() -> None:
    person, other = recruit(STUDY)[:2]
    one, two = (looks.choose_look(STUDY, person, (person.id, day)).outfit for day in ("A", "B"))
    assert (one.skin, one.hair, one.shoes) == (two.skin, two.hair, two.shoes)
    assert one.top != two.top
    assert looks.choose_look(STUDY, other, (other.id, "A")).outfit.skin != one.skin
