"""Words as the browser wants them."""

from lookback.data import translation
from lookback.data.lexicon import ATTACHED
from lookback.data.vocabulary import SOURCE, TARGET

END = {"word": "(end)", "gloss": ""}


def korean_word(word: str) -> dict:
    """A Korean word, what it says, and whether it follows without a space."""
    gloss = translation.gloss(word)
    return {"word": word, "gloss": gloss, "attached": word in ATTACHED}


def check_vocabulary(model) -> None:
    """Raise a `ValueError` unless a translator has the vocabularies of this course."""
    own, ours = (model.source_vocabulary, model.vocabulary), (len(SOURCE), len(TARGET))
    if own != ours:
        raise ValueError(
            f"the model has {own[0]} source and {own[1]} target words, the course "
            f"{ours[0]} and {ours[1]}: build it with len(SOURCE), len(TARGET)"
        )
