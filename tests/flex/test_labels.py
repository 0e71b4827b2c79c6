import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flex.agreement import agreement, alpha_of
from flex.graph import Graph, Occurrence
from flex.labels import decide, merge
from flex.problems import InputError
from flex.sample import Annotation
from flex.votes import Vote, questions_of, read_votes

MakeRecord = Callable[..., Annotation]
ONE, TWO = "AK01:ET001", "AK04:ET015"


def _votes(clip: str, stage: int, *sets: str) -> list[Vote]:
    """One vote per set; "12" saw both errors, "" saw none."""
    names = {"1": ONE, "2": TWO}
    return [
        Vote.model_validate(
            {
                "clip": clip,
                "annotator": f"{stage}-{number}",
                "stage": stage,
                "errors": [names[letter] for letter in text],
            }
        )
        for number, text in enumerate(sets)
    ]


@pytest.mark.parametrize(
    ("stage_1", "stage_2", "stands", "even"),
    [
        (("1", "1", "1"), ("2", "2", ""), "2", ""),  # reviewers decide, whatever stage 1 said
        (("1", "1", ""), (), "1", ""),  # no review: the annotators' majority
        (("1", "", ""), (), "", ""),
        (("1", "1", ""), ("1", ""), "1", ""),  # even reviewers: stage 1 decides
        (("1", ""), ("1", ""), "", "1"),  # even twice: a person should look
        (("1", ""), (), "", "1"),
        ((), ("1", "", "1", ""), "", "1"),
        (("12",), (), "12", ""),  # one voter is a majority of one
    ],
)
def test_who_decides(
    stage_1: tuple[str, ...], stage_2: tuple[str, ...], stands: str, even: str
) -> None:
    found = decide([*_votes("c", 1, *stage_1), *_votes("c", 2, *stage_2)])
    names = {"1": Occurrence.parse(ONE), "2": Occurrence.parse(TWO)}
    assert found == (frozenset(names[x] for x in stands), frozenset(names[x] for x in even))


def test_merged_records_are_scored_and_keep_intervals(
    graph: Graph, make_record: MakeRecord
) -> None:
    record = make_record("A01/001", errors=[TWO], score=None)
    label = record.errors[0].model_copy(update={"start_s": 0.5, "end_s": 1.0})
    record = record.model_copy(update={"errors": (label,), "score": 3.0})
    merged = merge([record], _votes("A01/001", 1, "12", "12", ""), graph)
    (found,) = merged.records
    assert [str(item) for item in found.occurrences] == [ONE, TWO]
    assert found.errors[1].start_s == 0.5
    penalty = sum(graph.weight(Occurrence.parse(text)) for text in (ONE, TWO))
    assert found.score == round(100 * (1 - penalty / 161), 2)
    assert (merged.unreviewed, merged.few_voters, merged.undecided) == (("A01/001",), (), ())


def test_what_a_person_should_look_at(graph: Graph, make_record: MakeRecord) -> None:
    records = [make_record("A01/001"), make_record("A01/002")]
    votes = [*_votes("A01/001", 1, "1", ""), *_votes("A01/002", 2, "1", "1", "")]
    merged = merge(records, votes, graph)
    assert merged.undecided == (("A01/001", Occurrence.parse(ONE)),)
    assert merged.unreviewed == ("A01/001",)
    assert merged.few_voters == ("A01/001",)


def test_records_and_votes_must_fit(graph: Graph, make_record: MakeRecord) -> None:
    with pytest.raises(InputError) as caught:
        merge([make_record("A01/001")], _votes("A01/002", 1, "1"), graph)
    assert [problem.place for problem in caught.value.problems] == ["A01/002", "A01/001"]


def _file(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "votes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_all_problems_of_votes_at_once(
    tmp_path: Path, graph: Graph, make_record: MakeRecord
) -> None:
    good = {"clip": "A01/001", "annotator": "a", "stage": 1, "errors": [ONE]}
    path = _file(
        tmp_path,
        good,
        good,
        {**good, "stage": 2},
        {**good, "annotator": "b", "errors": ["AK01:ET099"]},
        {**good, "annotator": "c", "stage": 3},
        {**good, "clip": "A99/001"},
        {**good, "annotator": "d", "errors": [TWO, ONE, ONE]},
        {**good, "annotator": "e", "error": []},
    )
    with path.open("a") as stream:
        stream.write("{")
    labelled = make_record("A01/001", labelled=[ONE])
    with pytest.raises(InputError) as caught:
        read_votes(path, graph, questions_of([labelled], graph))
    text = [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]
    assert [message[0] for message in text] == ["2", "3", "4", "5", "6", "7", "7", "7", "8", "9"]
    assert "already votes on A01/001 on line 1" in text[0]
    assert "nobody reviews a label of their own" in text[1]
    assert "no error type 'ET099'" in text[2]
    assert "'A99/001' has no record" in text[4]
    assert "outside what the record of A01/001 says was labelled" in text[5]
    assert "did you mean errors?" in text[8]


def test_alpha_of_a_hand_worked_case() -> None:
    # Four units, two voters: yes-yes, no-no, no-no, yes-no. Of 8 answers 3 are yes. Observed
    # disagreement 2/8; expected 2·3·5/(8·7); α = 1 − (2/8)/(30/56).
    found = alpha_of([(0, 2), (2, 0), (2, 0), (1, 1)])
    assert found.alpha == pytest.approx(1 - (2 / 8) / (30 / 56))
    assert (found.units, found.seen) == (4, 3 / 8)


def test_alpha_equals_the_reference_on_a_rater_matrix() -> None:
    import krippendorff

    rng = np.random.default_rng(5)
    truth = rng.random(200) < 0.3
    raters = np.where(rng.random((3, 200)) < 0.2, ~truth, truth).astype(float)
    raters[rng.random((3, 200)) < 0.1] = np.nan
    counts = [(int((unit == 0).sum()), int((unit == 1).sum())) for unit in raters.T]
    expected = krippendorff.alpha(reliability_data=raters, level_of_measurement="nominal")
    assert alpha_of(counts).alpha == pytest.approx(expected)


def test_alpha_is_not_defined_without_variation() -> None:
    assert alpha_of([(3, 0), (2, 0)]).alpha is None
    assert "nobody ever saw it" in str(alpha_of([(3, 0), (2, 0)]).why)
    assert "everybody always saw it" in str(alpha_of([(0, 3)]).why)
    assert alpha_of([(1, 0), (0, 1)]).why == "no clip has two voters"


def test_agreement_per_stage_and_error_type(graph: Graph) -> None:
    votes = [
        *_votes("A01/001", 1, "1", "1", "12"),
        *_votes("A01/002", 1, "", "", ""),
        *_votes("A01/001", 2, "1", "1", "1"),
    ]
    report = agreement(votes, graph)
    assert report[1].error_types["ET001"].alpha == 1.0
    assert report[1].error_types["ET001"].units == 2 * sum(
        item.error_type == "ET001" for item in graph.occurrences("A01")
    )
    assert report[1].overall.alpha is not None
    assert 0 < report[1].overall.alpha < 1
    assert report[1].error_types["ET015"].alpha == pytest.approx(0, abs=0.2)
    assert report[2].overall.units == len(graph.occurrences("A01"))
    assert report[2].error_types["ET006"].alpha is None
    assert agreement([], graph) == {}
