"""Hostile inputs through the page's own code: what is refused, how, and that the docs say so."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from coach_clips import MARKUP
from coach_hostile import INPUTS, UNEVEN, Hostile, meet, page_events

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "coach-page.md"
REFUSED = {
    "a text file named .mp4": "not a video that can be read",
    "a file of zero bytes": "is empty (0 bytes)",
    "a video of one frame": "only 1 frame",
    "an 8K video": "7680 × 4320",
    "a video of two hours": "lasts 2 h",
    "no video stream, sound only": "no picture track",
    "a play list that names another file": "not a video that can be read",
    "a video that breaks off": "breaks off before its end",
}
TAKEN = {
    "rotation metadata (a phone's)": "128 × 96",
    "a variable frame rate": f"… {UNEVEN[22] / 24:.2f} s",
    "a path in the name": "96 × 128",
    "HTML in the name": "96 × 128",
    "HTML in a chat message": "as text",
}


class Tags(HTMLParser):
    """Finds what of a visitor's text became HTML."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.harm: list[str] = []
        self.feed(shown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        picture = tag == "img" and not (given.get("src") or "").startswith("data:image/")
        if picture or tag == "script" or any(name.startswith("on") for name in given):
            self.harm.append(tag)


@pytest.mark.parametrize("hostile", INPUTS, ids=lambda hostile: hostile.name)
def test_a_hostile_input_is_met(hostile: Hostile, tmp_path: Path) -> None:
    events = page_events(tmp_path)
    row, shown = meet(events, hostile, tmp_path)
    if hostile.name in REFUSED:
        assert row.happens == "refused"
        assert REFUSED[hostile.name] in row.message
        assert events.coaching.intake.decoded == 0
        assert "; please" in row.message
        assert 'role="alert"' in shown
    else:
        assert TAKEN[hostile.name] in row.happens
        assert "the coach sees 8 frames" in row.message
    assert Tags(shown).harm == []
    assert str(row) in DOCS.read_text("utf-8").splitlines(), (
        "the table in docs/coach-page.md is old; run `python tests/coach/coach_hostile.py`"
    )


def test_a_path_in_a_name_is_not_shown(tmp_path: Path) -> None:
    hostile = next(one for one in INPUTS if one.name == "a path in the name")
    row, shown = meet(page_events(tmp_path), hostile, tmp_path)
    assert row.message.startswith("passwd.mp4 ·")
    assert "etc" not in shown


def test_markup_of_visitors_would_be_found() -> None:
    assert Tags(f"<p>{MARKUP}</p>").harm == ["img"]
    assert Tags("<script>1</script><p onclick='x'>").harm == ["script", "p"]
    assert Tags('<img src="data:image/jpeg;base64,AA">').harm == []
