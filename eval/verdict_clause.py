"""What one sentence says of a lift: right or wrong, of the whole or of a part.

A clause counts if it says something of this lift now: not under a condition, not as advice, not of
another time, not in somebody else's name. "Would be perfect if" says that it is not.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from eval.verdict_words import has, of_lift, words
from flex.clauses import clauses_of
from flex.words import tokens_of


class Judgement(NamedTuple):
    """What a clause says of the lift: right or wrong, as a whole or of a part."""

    right: bool
    whole: bool


def sentence(line: str) -> Iterator[Judgement]:
    """Yield what a sentence (of `normal`) says of the lift, in order."""
    while (lead := words()["leads"].match(line)) is not None:
        line = line[lead.end() :]
    clauses = [piece for piece in words()["clause_end"].split(line) if piece and piece.strip()]
    conditions = [has("condition", clause) for clause in clauses]
    excepted = has("excepted", line)
    before: list[Judgement] = []
    for clause, condition in zip(clauses, conditions, strict=True):
        if has("elliptical", clause):
            yield from (Judgement(not one.right, one.whole) for one in before)
            continue
        if condition:
            continue
        said = list(_clause(clause, conditional=any(conditions)))
        if said:
            yield from (
                one._replace(right=one.right and not excepted) for one, counts in said if counts
            )
            before = [one for one, _ in said]


def _clause(clause: str, *, conditional: bool) -> Iterator[tuple[Judgement, bool]]:
    """Yield judgements of a clause, and whether it says them of this lift now."""
    clause = words()["opinion"].sub(lambda match: match["neg"] or "", clause)
    if has("unknown", clause):
        return
    counts = not has("elsewhere", clause) and not has("others", clause)
    whole = has("whole", clause) or not has("part", clause)
    for match in words()["to_mend"].finditer(clause):
        denied = _denials(clause[: match.end()]) % 2 == 1
        yield Judgement(right=denied, whole=whole), counts and not conditional
    clause = words()["to_mend"].sub(" ", clause)
    clause = words()["verb_correct"].sub(" ", clause)
    would_be = has("counterfactual", clause) and (conditional or has("but_for", clause))
    counts = counts and not is_advice(clause) and not has("definition", clause)
    counts = counts and (would_be or not conditional)
    for good, match in _found(clause):
        upto, after = clause[: match.end()], clause[match.end() :]
        supposed = has("hypothetical", upto) and not (would_be and good)
        if supposed or has("fit" if good else "misfit", after):
            continue
        denied = _denials(upto, after, good=good) % 2 == 1
        yield Judgement(good != denied and not would_be, whole), counts


def _found(clause: str) -> Iterator[tuple[bool, re.Match[str]]]:
    """Yield whether it is praise, and where, for every word that judges."""
    for good, name in ((True, "right"), (False, "wrong"), (False, "trouble")):
        yield from ((good, match) for match in words()[name].finditer(clause))
    for good, pattern in of_lift():
        yield from ((good, match) for match in pattern.finditer(clause))


def _denials(upto: str, after: str = "", *, good: bool = False) -> int:
    """Count what denies a judging word: up to it, and after a verb that it is the subject of."""
    count = upto.count("NEG") + (good and has("diminishers", upto))
    if good:
        denied = len(re.findall(r"\b(?:is|was|are|were|has|had)\s+NEG\b", after))
        return count + denied + has("gone", after)
    return count + has("unseen", after)


def is_advice(clause: str) -> bool:
    """Say whether a clause (of `normal`) tells what to do, not what happened."""
    read = clauses_of(tokens_of(clause.replace("NEG", "not")))
    return has("advice", clause) or (bool(read) and read[0].mood == "advice")
