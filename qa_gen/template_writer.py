"""Writes dialogues from templates: deterministic, varied, no network.

The choice among phrasings depends on the seed, the clip and the stage only, so a clip's text stays
the same whatever else is generated. Train and test subjects get different phrasing families, and
different variants of the graph's own wording, so that a model is tested on words it has not seen.
"""

import random
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

from flex.graph import Graph, Occurrence
from qa_gen.dialogue import Sentence, Stage
from qa_gen.facts import ErrorFact, Facts
from qa_gen.wording import phrasings, prompts_hash
from qa_gen.writer import Written

Family = Literal["train", "test"]
Item = TypeVar("Item")

FAMILIES: tuple[Family, ...] = ("train", "test")
PRAISES = 2
PRAISES_CLEAN = 4


def family_of(split: str) -> Family:
    """Return the phrasing family of a split; validation shares that of training."""
    return "test" if split == "test" else "train"


def phrasing_file(family: str, stage: Stage) -> str:
    """Return the file under `prompts/` with the phrasings of a stage."""
    return f"dialogue/{family}/{stage}.j2"


class Phrases:
    """Picks and fills phrasings for one stage of one clip."""

    def __init__(self, seed: int, facts: Facts, family: str, stage: Stage) -> None:
        self._random = random.Random(f"{seed}|{facts.clip}|{stage}")
        self._sections = phrasings(phrasing_file(family, stage))
        self._family = family

    def say(self, section: str, **values: object) -> str:
        """Return one phrasing of the section, filled in."""
        return self.pick(self._sections[section]).render(values)

    def pick(self, options: Sequence[Item]) -> Item:
        """Return one of the options."""
        return options[self._random.randrange(len(options))]

    def variant(self, options: Sequence[str]) -> str:
        """Return one variant of the graph's wording; the last one is kept for test subjects."""
        if len(options) == 1:
            return options[0]
        return options[-1] if self._family == "test" else self.pick(options[:-1])

    def sample(self, options: Sequence[Item], count: int) -> list[Item]:
        """Return up to `count` of the options, in their order."""
        chosen = self._random.sample(range(len(options)), min(count, len(options)))
        return [options[index] for index in sorted(chosen)]


class TemplateWriter:
    """Writes evaluations from the graph's wording; see `qa_gen.writer.Writer`."""

    name = "template"

    def __init__(self, graph: Graph, *, seed: int) -> None:
        self._graph = graph
        self._seed = seed
        self.prompts = prompts_hash(phrasing_file(family, "evaluate") for family in FAMILIES)

    async def write(self, facts: Facts, family: str) -> Written:
        """Write the evaluation of one clip."""
        return Written(sentences=tuple(self.sentences(facts, family)))

    def spent(self) -> str:
        """Templates cost nothing."""
        return ""

    def sentences(self, facts: Facts, family: str) -> list[Sentence]:
        """Return the evaluation: opening, praise, each error with its correction, closing."""
        phrases = Phrases(self._seed, facts, family, "evaluate")
        action = self._graph.actions[facts.action]
        kind = "" if facts.errors else "_clean"
        partial = facts.labelled is not None
        sentences = [
            _summary(phrases.say("opening" if partial else f"opening{kind}", name=action.name))
        ]
        sentences += self._praise(phrases, facts)
        for error in facts.errors:
            sentences += self._error(phrases, error)
        if facts.errors:
            heaviest = max(facts.occurrences, key=self._graph.weight)
            sentences.append(_summary(phrases.say("closing", priority=self._topic(heaviest))))
        elif not partial:
            sentences.append(_summary(phrases.say("closing_clean")))
        if facts.labelled is not None:
            topics = _listing(self._topic(o) for o in facts.labelled)
            sentences.append(_summary(phrases.say("partial", topics=topics)))
        return sentences

    def _praise(self, phrases: Phrases, facts: Facts) -> list[Sentence]:
        """Praise what was looked at, was not labelled an error, and can be seen."""
        wrong = {o.error_type for o in facts.occurrences}
        right = [
            occurrence
            for occurrence in facts.labelled or self._graph.occurrences(facts.action)
            if occurrence.error_type not in wrong
            and "video" in self._graph.error_types[occurrence.error_type].known_from
        ]
        one_each = list({o.error_type: o for o in reversed(right)}.values())[::-1]
        chosen = phrases.sample(one_each, PRAISES if facts.errors else PRAISES_CLEAN)
        return [
            Sentence(
                text=phrases.say(
                    "praise",
                    moment=phrases.variant(self._graph.key_steps[o.key_step].moments),
                    ideal=phrases.variant(self._graph.error_types[o.error_type].ideal),
                ),
                role="praise",
            )
            for o in chosen
        ]

    def _error(self, phrases: Phrases, error: ErrorFact) -> list[Sentence]:
        occurrence = error.occurrence
        ids = (str(occurrence),)
        named = phrases.say(
            "error" if error.start_s is None else "error_timed",
            moment=phrases.variant(self._graph.key_steps[occurrence.key_step].moments),
            observed=phrases.variant(self._graph.error_types[occurrence.error_type].observed),
            start=f"{error.start_s:g}" if error.start_s is not None else None,
            end=f"{error.end_s:g}" if error.end_s is not None else None,
        )
        advice = phrases.variant(self._graph.corrections(occurrence))
        correction = phrases.say("correction", correction=advice)
        return [
            Sentence(text=named, role="error", errors=ids),
            Sentence(text=correction, role="correction", errors=ids),
        ]

    def _topic(self, occurrence: Occurrence) -> str:
        return self._graph.error_types[occurrence.error_type].name.lower()


def _summary(text: str) -> Sentence:
    return Sentence(text=text, role="summary")


def _listing(topics: Iterable[str]) -> str:
    *first, last = dict.fromkeys(topics)
    return f"{', '.join(first)} and {last}" if first else last
