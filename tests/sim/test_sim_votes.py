"""The simulated votes are valid, merge into the labels, and differ from each other."""

import numpy as np
import pytest

from flex.graph_file import load_graph
from flex.labels import merge
from flex.sample import Annotation
from flex.votes import Vote
from sim.clips import simulate
from sim.settings import load_settings
from sim.study import Study
from sim.votes import assemble, votes_of

GRAPH = load_graph()
STUDY = Study(GRAPH, load_settings(), seed=0)


@pytest.fixture(scope="module")
def records() -> list[Annotation]:
    return list(simulate(STUDY, 400))


@pytest.fixture(scope="module")
def votes(records: list[Annotation]) -> list[Vote]:
    panel = assemble(STUDY)
    return [vote for record in records for vote in votes_of(panel, record)]


def test_votes_merge_into_the_labels(records: list[Annotation], votes: list[Vote]) -> None:
    merged = merge(records, votes, GRAPH)
    assert list(merged.records) == records
    assert not merged.undecided
    assert not merged.unreviewed
    assert not merged.few_voters


def test_three_annotate_and_three_others_review(votes: list[Vote]) -> None:
    clip = [vote for vote in votes if vote.clip == votes[0].clip]
    assert [vote.stage for vote in clip] == [1, 1, 1, 2, 2, 2]
    assert len({vote.annotator for vote in clip}) == 6
    pools = [{v.annotator for v in votes if v.stage == stage} for stage in (1, 2)]
    assert [len(pool) for pool in pools] == [10, 6]
    assert not pools[0] & pools[1]


def test_reviewers_agree_more_than_annotators(votes: list[Vote]) -> None:
    differ = {1: 0, 2: 0}
    for start in range(0, len(votes), 3):
        three = votes[start : start + 3]
        union = frozenset().union(*(vote.occurrences for vote in three))
        common = three[0].occurrences & three[1].occurrences & three[2].occurrences
        differ[three[0].stage] += len(union - common)
    assert 0 < differ[2] < 0.5 * differ[1]


def test_annotators_miss_and_imagine_as_often_as_stated(
    records: list[Annotation], votes: list[Vote]
) -> None:
    truth = {record.clip: frozenset(record.occurrences) for record in records}
    absent = {r.clip: len(GRAPH.occurrences(r.action)) - len(r.errors) for r in records}
    first = [vote for vote in votes if vote.stage == 1]
    missed = sum(len(truth[v.clip] - v.occurrences) for v in first)
    imagined = sum(len(v.occurrences - truth[v.clip]) for v in first)
    assert 0.10 < missed / sum(len(truth[v.clip]) for v in first) < 0.28
    assert 0.02 < imagined / sum(absent[v.clip] for v in first) < 0.07


def test_one_clips_votes_do_not_depend_on_the_others(
    records: list[Annotation], votes: list[Vote]
) -> None:
    alone = list(votes_of(assemble(STUDY), records[-1]))
    assert alone == votes[-6:]
    assert np.unique([vote.clip for vote in alone]).tolist() == [records[-1].clip]
