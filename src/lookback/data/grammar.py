"""A small English, its Korean, and the trees that connect them.

    sentence -> unit (("and" | "but") unit)*
    unit     -> clause ["because" clause]
    clause   -> [time] phrase verb [object] ["with" phrase] [place]
    object   -> phrase | "to" phrase
    place    -> ("in" | "at") phrase
    phrase   -> "the" [adjective] noun [relative]
    relative -> "that" verb [object] ["with" phrase] [place]
              | "that" phrase verb ["with" phrase] [place]

Every English sentence has one tree and every tree one Korean sentence, because
- only subjects and objects outside relative clauses carry a relative clause;
- the verb decides whether an object, "to" (verbs of motion, which take no place) or
  neither follows it, and "that" is the subject or the object of what follows;
- after an object with a relative clause nothing more may follow in its clause, so that
  "in the park" belongs to the nearest verb: "saw the cat that slept in the park";
- "because" belongs to the unit it stands in: "A because B and C" is (A because B) and C.

Korean puts the verb last and modifiers first, so it is read from its end: both parsers
see the head first and decide each step by the next word alone.
"""

from dataclasses import dataclass

from .lexicon import ADJECTIVES, NOUNS, PARTICLES, TIMES, VERBS


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase: "the small cat that sleeps"."""

    noun: str
    adjective: str | None = None
    relative: "Clause | None" = None


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause; a relative one lacks the phrase (subject or object) it describes."""

    verb: str
    past: bool
    subject: Phrase | None = None
    object: Phrase | None = None
    company: Phrase | None = None
    place: Phrase | None = None
    time: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A main clause and its reason."""

    main: Clause
    because: Clause | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """Units and the conjunctions ("and", "but") between them."""

    units: tuple[Unit, ...]
    conjunctions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """An English sentence, its Korean translation, and which words render which.

    ``alignment[t]`` holds the source positions that target token ``t`` renders, its main
    word first. A verb form also links to the function word fused into it: 먹고 to "eats"
    and "and", 먹는 to "eats" and "that". 에서, 에, 와/과, 함께 and 때문에 link to the
    preposition or conjunction they render, the other particles to the noun they mark.
    Only "the" is linked to nothing. ``clauses`` counts the verbs.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    alignment: tuple[tuple[int, ...], ...]
    clauses: int


def particle(word, role):
    """The particle for a role ("topic", "subject", "object", "with") after ``word``.

    A Hangul syllable's code is 0xAC00 + 28 * (initial and vowel) + final consonant.
    """
    code = ord(word[-1]) - 0xAC00 if word else -1
    if not 0 <= code < 11172:
        raise ValueError(
            f"a particle follows a Hangul syllable, but {word!r} ends in none"
        )
    consonant, vowel = PARTICLES[role]
    return consonant if code % 28 else vowel


# English words are appended to `words` in order; each function returns its Korean as
# (token, source positions) links, in Korean order.


def _say(words, word):
    words.append(word)
    return len(words) - 1


def _say_phrase(words, phrase):
    words.append("the")
    korean = []
    if phrase.adjective:
        korean.append((ADJECTIVES[phrase.adjective], (_say(words, phrase.adjective),)))
    korean.append((NOUNS[phrase.noun].korean, (_say(words, phrase.noun),)))
    return _say_relative(words, phrase.relative) + korean


def _say_relative(words, clause):
    if clause is None:
        return []
    that = _say(words, "that")
    return _fused(_say_clause(words, clause, "relative"), that)


def _fused(korean, position):
    """The verb at the end also renders the word at ``position``."""
    token, links = korean[-1]
    return [*korean[:-1], (token, (*links, position))]


def _say_marked(words, phrase, role):
    if phrase is None:
        return []
    korean = _say_phrase(words, phrase)
    noun, links = korean[-1]
    return [*korean, (particle(noun, role), links)]


def _say_prepositional(words, preposition, phrase, *tokens):
    position = (_say(words, preposition),)
    korean = _say_phrase(words, phrase)
    return korean + [(token, position) for token in tokens]


def _say_object(words, clause):
    if clause.object and VERBS[clause.verb].frame == "goal":
        return _say_prepositional(words, "to", clause.object, "에")
    return _say_marked(words, clause.object, "object")


def _say_company(words, phrase):
    if phrase is None:
        return []
    noun = NOUNS[phrase.noun].korean
    return _say_prepositional(words, "with", phrase, particle(noun, "with"), "함께")


def _say_place(words, phrase):
    if phrase is None:
        return []
    return _say_prepositional(words, NOUNS[phrase.noun].preposition, phrase, "에서")


def _say_time(words, time):
    if time is None:
        return []
    words.extend(time)  # a clause begins with its time, but not the sentence
    start = len(words) - len(time)
    return [(t, tuple(start + i for i in links)) for t, links in TIMES[time].korean]


def _say_clause(words, clause, ending):
    verb = VERBS[clause.verb]
    role = "subject" if ending in ("because", "relative") else "topic"
    time = _say_time(words, clause.time)
    subject = _say_marked(words, clause.subject, role)
    at = _say(words, verb.past if clause.past else verb.present)
    object = _say_object(words, clause)
    company = _say_company(words, clause.company)
    place = _say_place(words, clause.place)
    form = (verb.forms[ending, clause.past], (at,))
    return [*time, *subject, *place, *company, *object, form]


def _say_unit(words, unit, ending):
    main = _say_clause(words, unit.main, ending)
    if unit.because is None:
        return main
    because = (_say(words, "because"),)
    return [*_say_clause(words, unit.because, "because"), ("때문에", because), *main]


def _say_sentence(words, sentence):
    korean = []
    for unit, conjunction in zip(sentence.units, sentence.conjunctions, strict=False):
        said = _say_unit(words, unit, conjunction)
        korean += _fused(said, _say(words, conjunction))
    return korean + _say_unit(words, sentence.units[-1], "plain")


def _verbs(clause):
    phrases = (clause.subject, clause.object)
    return 1 + sum(1 for phrase in phrases if phrase and phrase.relative)


def _clauses(sentence):
    clauses = [c for unit in sentence.units for c in (unit.main, unit.because) if c]
    return sum(map(_verbs, clauses))


def render(sentence):
    """The :class:`Pair` that a :class:`Sentence` stands for."""
    words = []
    korean = _say_sentence(words, sentence)
    target, alignment = zip(*korean, strict=True)
    return Pair(tuple(words), target, alignment, _clauses(sentence))
