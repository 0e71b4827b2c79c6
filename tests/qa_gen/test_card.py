"""The card's numbers are those counted by hand, and its page opens by itself in a browser."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from small_run import RunWriter, annotation_of, dialogue_of, left_out, lifts

from flex.graph import Graph
from qa_gen.card import markdown_text
from qa_gen.card_samples import SampleChooser
from qa_gen.card_stats import CardStats
from qa_gen.export import export

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def stats(graph: Graph) -> CardStats:
    counted = CardStats()
    for dialogue in lifts(graph):
        counted.add(dialogue)
    for dialogue in left_out(graph):
        counted.leave_out(dialogue, "failed the fact check")
    return counted


def test_counts(stats: CardStats) -> None:
    assert (stats.dialogues, stats.pairs, stats.subject_count) == (7, 28, 4)
    assert dict(stats.splits) == {"train": 4, "validation": 1, "test": 2}
    assert dict(stats.actions) == {"A16": 3, "A01": 3, "A02": 1}
    assert {split: len(people) for split, people in stats.subjects.items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }
    assert (stats.clean, stats.partial, stats.simulated, stats.occurrences) == (2, 1, 0, 6)


def test_errors_are_counted_by_type_and_sorted(stats: CardStats, graph: Graph) -> None:
    rows = stats.error_rows(graph)
    assert len(rows) == len(graph.error_types)
    assert [(row.id, row.times) for row in rows[:3]] == [("ET015", 2), ("ET055", 2), ("ET056", 2)]
    assert rows[0].share == pytest.approx(2 / 7)
    assert rows[3].times == 0


def test_one_type_at_two_key_steps_is_two_errors_in_one_dialogue(graph: Graph) -> None:
    pairs = [str(o) for o in graph.occurrences("A01") if o.error_type == "ET011"][:2]
    counted = CardStats()
    counted.add(dialogue_of(graph, annotation_of("A01/001", "P01", *pairs), "train"))
    row = next(row for row in counted.error_rows(graph) if row.id == "ET011")
    assert (len(pairs), row.times, row.share) == (2, 2, 1.0)


def test_scores_fall_into_bins(stats: CardStats, graph: Graph) -> None:
    scores = [dialogue.facts.score for dialogue in lifts(graph)]
    assert sum(stats.score_bins.values()) == 7
    assert stats.score_bins[19] == sum(score >= 95 for score in scores)
    assert stats.scores()["mean"] == pytest.approx(sum(scores) / 7)
    assert stats.scores()["median"] == sorted(scores)[3]
    assert stats.scores()["greatest"] == 100


def test_lengths_are_in_words(stats: CardStats, graph: Graph) -> None:
    words = sorted(len(d.turn("evaluate").answer.split()) for d in lifts(graph))
    row = next(row for row in stats.lengths() if row.stage == "evaluate")
    assert (row.least, row.median, row.most) == (words[0], words[3], words[6])
    assert row.mean == pytest.approx(sum(words) / 7)


def test_flags_count_dialogues_not_findings(stats: CardStats) -> None:
    assert dict(stats.flag_codes) == {"missing_error": 1, "wrong_number": 2}


def test_samples_are_the_same_in_any_order_and_spread(graph: Graph) -> None:
    one_each = [
        dialogue_of(graph, annotation_of(f"{action}/{n:03}", "P01", *errors), "train")
        for action in list(graph.actions)[:12]
        for n in range(4)
        for errors in [[str(o) for o in graph.occurrences(action)[: 6 * n]]]
    ]
    forward, backward = SampleChooser(), SampleChooser()
    for dialogue in one_each:
        forward.add(dialogue)
    for dialogue in reversed(one_each):
        backward.add(dialogue)
    chosen = forward.chosen()
    assert [d.clip for d in chosen] == [d.clip for d in backward.chosen()]
    assert len({d.action for d in chosen}) == 10
    assert chosen[0].facts.score < 60 < 95 < chosen[-1].facts.score


def test_few_actions_still_give_ten_samples(graph: Graph) -> None:
    chooser = SampleChooser()
    for n in range(30):
        chooser.add(dialogue_of(graph, annotation_of(f"A16/{n:03}", "P01"), "train"))
    assert len({dialogue.clip for dialogue in chooser.chosen()}) == 10


def test_markdown_card_holds_the_counts_and_the_head(graph: Graph, small_export: Path) -> None:
    text = (small_export / "README.md").read_text()
    head = yaml.safe_load(text.split("---")[1])
    assert head["license"] == "cc-by-nc-4.0"
    assert [f["split"] for f in head["configs"][0]["data_files"]] == ["train", "validation", "test"]
    for line in (
        "| Dialogues | 7 |",
        "| Question–answer pairs | 28 |",
        "| train | 4 | 16 | 2 |",
        f"| ET056 | {graph.error_types['ET056'].name} | 10 | 2 | 28.6 % |",
        "| failed the fact check | 2 |",
        "| rejected by reviewers | 1 |",
        "| wrong\\_number | 2 |",
        "**Partial labels.** In 1 dialogues",
        "arXiv 2506.03198",
    ):
        assert line in text
    assert text.count("<summary>") == 7
    assert "Simulated" not in text
    assert "Incomplete" not in text


def test_neither_card_takes_markup_from_data_or_tells_paths(small_export: Path) -> None:
    for name in ("README.md", "card.html"):
        text = (small_export / name).read_text()
        assert "<script" not in text
        assert "alert(1)" in text
        assert "secret-place" not in text
        assert "lifts" in text
    assert markdown_text("a|b *c* <d> [e](f)\n\ng") == r"a\|b \*c\* &lt;d&gt; \[e\](f) g"


def test_simulated_and_incomplete_runs_say_so(
    graph: Graph, make_run: RunWriter, tmp_path: Path
) -> None:
    made = [d.model_copy(update={"simulated": True}) for d in lifts(graph)[:2]]
    run = make_run(made, complete=False, stopped="the budget of 5 is spent")
    export(run, tmp_path / "out", graph)
    for name in ("README.md", "card.html"):
        text = re.sub(r"<[^>]+>", "", (tmp_path / "out" / name).read_text())
        assert "Simulated labels." in text
        assert "the budget of 5 is spent" in text


def test_page_is_well_formed_and_refers_to_nothing_outside(small_export: Path) -> None:
    class Tags(HTMLParser):
        void = frozenset({"meta", "br", "line", "rect", "i"})
        open: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert not {"src", "href", "onclick"} & {name for name, _ in attrs}
            if tag not in self.void:
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag not in self.void:
                assert self.open.pop() == tag

    parser = Tags()
    parser.open = []
    text = (small_export / "card.html").read_text()
    parser.feed(text)
    assert not parser.open
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: install it to test the page")
def test_page_opens_by_itself_in_a_browser(small_export: Path) -> None:
    from playwright.sync_api import sync_playwright

    page_url = (small_export / "card.html").as_uri()
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page(viewport={"width": 420, "height": 800})
        asked: list[str] = []
        faults: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: faults.append(message.text))
        page.goto(page_url)
        assert page.inner_text("#dialogues b") == "7"
        assert page.inner_text("#flagged b") == "3"
        assert page.locator("svg.figure").count() == 4
        sample = page.locator(".sample").first
        assert not sample.locator(".answer").first.is_visible()
        sample.locator("summary").click()
        assert sample.locator(".answer").count() == 4
        assert sample.locator(".answer").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 420
        browser.close()
    assert asked == [page_url]
    assert not faults
