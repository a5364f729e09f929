"""A sentence grown clause by clause: each longer one contains the shorter.

>>> words = "the girl that sleeps reads the letter because the boy runs"
>>> [" ".join(pair.source) for pair in growth(words)][:2]
['the girl reads the letter', 'the girl that sleeps reads the letter']
"""

from collections.abc import Iterator
from dataclasses import replace

from .grammar import Clause, Pair, Phrase, Sentence, Unit, render
from .translation import parse_english, translate


def growth(words: str | tuple[str, ...]) -> list[Pair]:
    """An English sentence with its first clause only, with its first two, to the whole.

    A relative clause comes right after the clause that it stands in, and a reason
    before the next *and* or *but*. What is added is one run of words.

    Raises:
        GrammarError: the sentence is not in the language.
    """
    whole = translate(words)
    tree = parse_english(whole.source)
    return [render(_first(tree, count)) for count in range(1, whole.clauses + 1)]


def added(shorter: tuple[str, ...], longer: tuple[str, ...]) -> range:
    """Where the words of the longer sentence stand that the shorter has not."""
    both = zip(shorter, longer, strict=False)
    start = next((i for i, (a, b) in enumerate(both) if a != b), len(shorter))
    return range(start, start + len(longer) - len(shorter))


# A clause that stays takes a ticket; there are as many as clauses may stay.


def _first(sentence: Sentence, count: int) -> Sentence:
    tickets, units = iter(range(count)), []
    for unit in sentence.units:
        if next(tickets, None) is None:
            break
        units.append(_unit(unit, tickets))
    return Sentence(tuple(units), sentence.conjunctions[: len(units) - 1])


def _unit(unit: Unit, tickets: Iterator[int]) -> Unit:
    main = _clause(unit.main, tickets)
    stays = unit.because is not None and next(tickets, None) is not None
    return Unit(main, _clause(unit.because, tickets) if stays else None)


def _clause(clause: Clause, tickets: Iterator[int]) -> Clause:
    subject = _phrase(clause.subject, tickets)
    return replace(clause, subject=subject, object=_phrase(clause.object, tickets))


def _phrase(phrase: Phrase | None, tickets: Iterator[int]) -> Phrase | None:
    if phrase is None or phrase.relative is None or next(tickets, None) is not None:
        return phrase
    return replace(phrase, relative=None)
