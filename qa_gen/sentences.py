"""Splits edited text into sentences, so that the fact check reads it like a writer's."""

from flex.sentences import split_sentences
from qa_gen.dialogue import Sentence


def sentences_of(text: str) -> tuple[Sentence, ...]:
    """Split a text that carries no ids; what each sentence is about is left to the matcher."""
    return tuple(
        Sentence(text=text[start:end], role="error") for start, end in split_sentences(text)
    )
