from pathlib import Path

import jinja2
import pytest

from flex.problems import InputError
from flex.templates import PROMPTS
from qa_gen import wording
from qa_gen.dialogue import STAGES
from qa_gen.template_writer import FAMILIES, phrasing_file


@pytest.mark.parametrize("stage", STAGES)
def test_train_and_test_families_share_no_phrasing(stage: str) -> None:
    lines = {
        family: {
            line.strip()
            for line in (PROMPTS / phrasing_file(family, stage)).read_text().splitlines()  # type: ignore[arg-type]
            if line.strip() and not line.startswith(("[", "{#"))
        }
        for family in FAMILIES
    }
    # The bare correction is the graph's sentence, whose variants are kept apart instead.
    shared = (lines["train"] & lines["test"]) - {"{{ correction }}"}
    assert not shared
    assert all(lines.values())


def test_a_missing_value_is_an_error() -> None:
    template = wording.phrasings("dialogue/train/score.j2")["answer"][0]
    with pytest.raises(jinja2.UndefinedError):
        template.render(score=1)


@pytest.mark.parametrize("text", ["a phrasing\n[question]\n", "[question]\n\n[answer]\nyes\n"])
def test_a_broken_phrasing_file_is_named(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.j2").write_text(text)
    monkeypatch.setattr(wording, "PROMPTS", tmp_path)
    with pytest.raises(InputError, match=r"broken\.j2"):
        wording.phrasings("broken.j2")


def test_hash_depends_on_text_and_not_on_order() -> None:
    names = ["dialogue/train/score.j2", "dialogue/test/score.j2"]
    assert wording.prompts_hash(names) == wording.prompts_hash(reversed(names))
    assert wording.prompts_hash(names) != wording.prompts_hash(names[:1])
