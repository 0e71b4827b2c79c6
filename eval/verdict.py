"""Does a text call the lift right or wrong? Negation, conditions and advice are told apart.

overall("The form is not correct.")                     # "faulty"
overall("It is important to do it correctly.")          # "unclear"
overall("It would be perfect if you kept still.")       # "faulty"

A text is read clause by clause with the words of `verdict.yaml`. A clause counts if it says
something of this lift now: not under a condition, not as advice, not of another time, not in
somebody else's name, not as a question or a title. "Would be perfect if" says that it is not.
"""

import re
from collections.abc import Iterator
from typing import Literal

from eval.verdict_clause import Judgement, is_advice, sentence
from eval.verdict_words import has, normal, sources
from flex.sentences import split_sentences

Verdict = Literal["faulty", "correct", "refused", "unclear"]
_TITLE = re.compile(r"^\s*(?:#+\s.*|\*\*[^*]+\*\*\s*|__[^_]+__\s*|[^:]{1,60}:\s*\**\s*)$")
_FIELD = re.compile(r"^\W*([^:=|?]{1,45}?)\s*(?:[:=|]|\?\s*(?=\S)|\s[-–—]\s)\s*(.+)$")
# A field's value of so few words is read as what the lift is: "Form: not quite right".
_SHORT = 4


def overall(text: str, *, praises: bool = False) -> Verdict:
    """Return the verdict of a text that names no error type.

    Args:
        text: the answer.
        praises: whether it praises something, as far as the reader of error types can tell.

    "faulty" if any clause says that something is wrong; else "correct" if one says that the lift is
    right, or that nothing is wrong; else "refused" if it declines to judge; else "correct" if it
    only praises parts; else "unclear".
    """
    if not text.strip():
        return "refused"
    said = list(judgements(text))
    if any(not one.right for one in said):
        return "faulty"
    if any(one.whole for one in said):
        return "correct"
    if says_refusal(text):
        return "refused"
    return "correct" if said or praises else "unclear"


def says_refusal(text: str) -> bool:
    """Say whether an answer is empty or declines to judge."""
    return not text.strip() or has("refusal", text)


def is_said_of_lift(raw: str) -> bool:
    """Say whether a sentence tells of this lift: it is no rule, advice, title or question."""
    line = normal(raw)
    if _is_title(raw) or raw.rstrip("*_ ").endswith("?") or is_advice(line):
        return False
    field = _FIELD.match(line)
    if field and has("right_label", field[1].strip()):
        return False
    names = ("definition", "others", "elsewhere", "condition", "verb_correct")
    return not any(has(name, line) for name in names)


def judgements(text: str) -> Iterator[Judgement]:
    """Yield what a text says of the lift, in order."""
    asked: bool | None = None  # what a question asks about: is it right?
    listing = False  # under the title "Errors"
    for start, end in split_sentences(text):
        raw = text[start:end]
        line = normal(raw)
        if _is_title(raw) and not has("finite", line):
            listing = has("wrong_label", line.rstrip(": ")) and not has("others", line)
            if listing and has("counted", line):
                yield Judgement(right=has("none", line), whole=True)
                listing = False
            continue
        if listing and not is_advice(line):
            yield Judgement(right=has("none", line), whole=True)
        listing = False
        if raw.rstrip("*_ ").endswith("?"):
            asked = _asks(line)
            listing = asked is False and has("asks_wrong", line)
            continue
        if asked is not None and (has("yes", line) or has("no", line)):
            yield Judgement(right=asked == has("yes", line), whole=True)
        asked = None
        if has("cross", raw) or has("tick", raw):
            yield Judgement(right=not has("cross", raw), whole=False)
        yield from _line(line)


def _asks(line: str) -> bool | None:
    """Return whether a question asks if the lift is right (or wrong); `None` for other ones."""
    if has("wrong", line):
        return False
    fair = re.search(rf"\b{sources()['fair']}\b", line)
    return True if fair or has("right", line) else None


def _is_title(raw: str) -> bool:
    """Whether a line is marked as a title, or written as one: "Perfect Squat Checklist"."""
    words = re.findall(r"[^\W\d_]+", raw)
    capitals = len(words) > 1 and all(word[0].isupper() for word in words)
    return bool(_TITLE.match(raw)) or (capitals and raw.rstrip()[-1:].isalnum())


def _line(line: str) -> Iterator[Judgement]:
    field = _FIELD.match(line)
    if not field:
        yield from sentence(line)
        return
    label, value = field[1].strip(), field[2].strip()
    if has("right_label", label):
        if has("yes", value) or has("no", value):
            yield Judgement(right=has("yes", value), whole=True)
    elif has("wrong_label", label):
        if not is_advice(value):
            yield Judgement(right=has("none", value), whole=True)
    elif has("verdict_label", label):
        for piece in re.split(r"[,;]", value):
            yield from sentence(f"form is {piece}" if len(piece.split()) <= _SHORT else piece)
            if re.match(r"\W*(?:pass|fail)(?:ed)?\b", piece):
                yield Judgement(right=has("yes", piece), whole=True)
    else:
        yield from sentence(line)
