"""English -> Korean translation data, sampled from a grammar.

Korean puts the verb last, modifiers before the noun and the reason before the main
clause, so words move, and far; and because the grammar makes the sentences, the
alignment between the words is known and a parser can tell what is in the language.

>>> pair = translate("the teacher eats the bread")
>>> join(pair.target)
'선생님은 빵을 먹는다'
"""

import hashlib
import random

from .grammar import Clause, Pair, Phrase, Sentence, Unit, particle, render
from .lexicon import (
    ATTACHED,
    ENGLISH,
    FITTING,
    GLOSSES,
    KOREAN,
    NOUNS,
    TIMES,
    VERBS,
    select,
)
from .parser import EnglishReader, GrammarError, KoreanReader, fits
from .vocabulary import unknown

__all__ = [
    "MAX_WORDS",
    "GrammarError",
    "Pair",
    "corpus",
    "count_sentences",
    "gloss",
    "join",
    "parse_english",
    "parse_korean",
    "particle",
    "recognise",
    "sample",
    "split",
    "translate",
]

MAX_WORDS = 45  # sampled English sentences are no longer


# --- the language --------------------------------------------------------------------


def _words(sentence):
    return tuple(sentence.split() if isinstance(sentence, str) else sentence)


def parse_english(words):
    """The tree of an English sentence (a string or words), or None if it has none."""
    try:
        return EnglishReader(_words(words)).sentence()
    except GrammarError:
        return None


def parse_korean(words):
    """The tree of a Korean sentence (tokens, or a string with spaces between them)."""
    try:
        return KoreanReader(_words(words)[::-1]).sentence()
    except GrammarError:
        return None


def recognise(words, language="en"):
    """Whether ``words`` are a sentence of the language, "en" or "ko"."""
    parsers = {"en": parse_english, "ko": parse_korean}
    if language not in parsers:
        raise ValueError(f'language is "en" or "ko", not {language!r}')
    return parsers[language](words) is not None


def translate(words):
    """The :class:`Pair` of an English sentence (a string or words).

    Raises :class:`GrammarError`, a ``ValueError`` that names the word and its place.
    """
    words = _words(words)
    for i, word in enumerate(words, 1):
        if word not in ENGLISH:
            raise GrammarError(f"word {i}: {unknown(word, ENGLISH)}")
    return render(EnglishReader(words).sentence())


def gloss(token):
    """What a Korean token says, in English: 먹고 -> "eats-and", 은 -> "(topic)"."""
    if token not in GLOSSES:
        raise ValueError(unknown(token, KOREAN))
    return GLOSSES[token]


def join(tokens):
    """Korean tokens as one writes them: particles attached to the word before."""
    return "".join(t if t in ATTACHED else " " + t for t in tokens).strip()


# --- samples -------------------------------------------------------------------------

_TENSES = [(t, past) for t in TIMES for past in (False, True) if fits(t, past)]
_PLACES = select("place")
_LIVING = select("living")
_ALL = tuple(VERBS.values())
_WITH_OBJECT = tuple(verb for verb in _ALL if verb.objects)
_DOES = {noun: tuple(v for v in _ALL if noun in v.subjects) for noun in NOUNS}
_DONE = {
    noun: tuple(v for v in _ALL if noun in v.objects and v.frame == "transitive")
    for noun in NOUNS
}


def _pick(rng, options):
    # Only .random() is promised to give the same stream in every Python.
    return options[int(rng.random() * len(options))]


def _phrase(rng, nouns, described=False):
    noun = _pick(rng, nouns)
    adjective = _pick(rng, FITTING[noun]) if rng.random() < 0.35 else None
    return Phrase(noun, adjective, _relative(rng, noun) if described else None)


def _relative(rng, noun):
    """What ``noun`` does ("that sleeps") or what is done to it ("that the boy sees")."""
    past = rng.random() < 0.5
    if _DOES[noun] and rng.random() < 0.5:
        verb = _pick(rng, _DOES[noun])
        subject, object = None, _object(rng, verb)
    else:
        verb = _pick(rng, _DONE[noun])
        subject, object = _phrase(rng, verb.subjects), None
    return Clause(verb.present, past, subject, object, *_adjuncts(rng, verb))


def _object(rng, verb, described=False):
    return _phrase(rng, verb.objects, described) if verb.objects else None


def _adjuncts(rng, verb):
    company = "company" in verb.joined and rng.random() < 0.25
    place = "place" in verb.joined and rng.random() < 0.35
    return (
        _phrase(rng, _LIVING) if company else None,
        _phrase(rng, _PLACES) if place else None,
    )


def _clause(rng, described):
    """``described``: which of "subject" and "object" have a relative clause."""
    verb = _pick(rng, _WITH_OBJECT if "object" in described else _ALL)
    time, past = None, rng.random() < 0.5
    # 어제 before a relative clause would be heard as part of it: no time there.
    if "time" in verb.joined and "subject" not in described and rng.random() < 0.3:
        time, past = _pick(rng, _TENSES)
    subject = _phrase(rng, verb.subjects, "subject" in described)
    object = _object(rng, verb, "object" in described)
    adjuncts = (None, None) if "object" in described else _adjuncts(rng, verb)
    return Clause(verb.present, past, subject, object, *adjuncts, time)


def _plan(rng, clauses):
    """Units as lists of one or two clauses, these as sets of described phrases."""
    units = [[set()]]
    for _ in range(clauses - 1):
        kind = _pick(rng, ("coordinate", "because", "relative"))
        single = [unit for unit in units if len(unit) == 1]
        free = [c for unit in units for c in unit if len(c) < 2]
        if kind == "because" and single:
            _pick(rng, single).append(set())
        elif kind == "relative" and free:
            clause = _pick(rng, free)
            options = [p for p in ("subject", "object") if p not in clause]
            clause.add(_pick(rng, options))
        else:
            units.append([set()])
    return units


def _sentence(rng, clauses):
    units = [
        Unit(*(_clause(rng, described) for described in unit))
        for unit in _plan(rng, clauses)
    ]
    conjunctions = tuple(_pick(rng, ("and", "but")) for _ in units[1:])
    return Sentence(tuple(units), conjunctions)


def sample(rng, clauses=None):
    """A random :class:`Pair` of ``clauses`` clauses (by default 1 to 5, equally likely).

    ``rng`` is a ``random.Random``. Up to 5 clauses have at most ``MAX_WORDS`` English
    words, more have at most 9 words a clause.
    """
    clauses = _pick(rng, (1, 2, 3, 4, 5)) if clauses is None else clauses
    if clauses < 1:
        raise ValueError(f"a sentence has at least one clause, but clauses={clauses}")
    while True:
        pair = render(_sentence(rng, clauses))
        if len(pair.source) <= max(MAX_WORDS, 9 * clauses):
            return pair


# --- parts ---------------------------------------------------------------------------


def split(source):
    """The part, "train", "valid" or "test", that an English sentence belongs to.

    It depends on the sentence alone (80, 10, 10 %), so parts never share a sentence.
    """
    digest = hashlib.sha256(" ".join(_words(source)).encode()).digest()
    tenth = int.from_bytes(digest[:8], "big") % 10
    return {0: "valid", 1: "test"}.get(tenth, "train")


def corpus(part, size, seed=0, clauses=(1, 2, 3, 4, 5)):
    """``size`` different pairs of one part; the same in every Python, for the same seed.

    A smaller corpus is the beginning of a larger one.
    """
    if part not in ("train", "valid", "test"):
        raise ValueError(f'part is "train", "valid" or "test", not {part!r}')
    rng = random.Random(seed)
    pairs = {}
    while len(pairs) < size:
        pair = sample(rng, _pick(rng, clauses))
        if split(pair.source) == part:
            pairs.setdefault(pair.source, pair)
    return list(pairs.values())


def count_sentences():
    """How many sentences of one or two main and because-clauses can be sampled.

    A lower bound for the language: no relative clauses, at most two clauses.
    """
    single = sum(map(_count_clauses, _ALL))
    return single + 3 * single**2  # two are joined by "and", "but" or "because"


def _count_clauses(verb):
    """Clauses with ``verb``: each choice of a part goes with each of the others."""
    return (
        (2 + ("time" in verb.joined) * len(_TENSES))  # a tense, or a time and a tense
        * _count_phrases(verb.subjects)
        * (_count_phrases(verb.objects) or 1)
        * (1 + ("company" in verb.joined) * _count_phrases(_LIVING))
        * (1 + ("place" in verb.joined) * _count_phrases(_PLACES))
    )


def _count_phrases(nouns):
    return sum(1 + len(FITTING[noun]) for noun in nouns)
