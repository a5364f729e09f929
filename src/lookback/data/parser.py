"""From words back to trees: English from its beginning, Korean from its end.

Either way the head comes first and each step is decided by the next word alone
(recursive descent without backtracking), so a sentence has one tree or none.
"""

from .grammar import Clause, Phrase, Sentence, Unit, particle
from .lexicon import ADJECTIVES, ENDINGS, NOUNS, PARTICLES, TIMES, VERBS


class GrammarError(ValueError):
    """The sentence is not one of the grammar's; the message says where and why."""


def _nouns(language, *prepositions):
    return {
        getattr(noun, language): noun.english
        for noun in NOUNS.values()
        if not prepositions or noun.preposition in prepositions
    }


def _korean_verbs(ending):
    forms = [(v, past) for v in VERBS.values() for past in (False, True)]
    return {verb.forms[ending, past]: (verb, past) for verb, past in forms}


_ENGLISH_NOUNS, _KOREAN_NOUNS = _nouns("english"), _nouns("korean")
_GOALS, _KOREAN_PLACES = _nouns("english", "in", "at"), _nouns("korean", "in", "at")
_PLACES = {"in": _nouns("english", "in"), "at": _nouns("english", "at")}
_ENGLISH_ADJECTIVES = {word: word for word in ADJECTIVES}
_KOREAN_ADJECTIVES = {korean: word for word, korean in ADJECTIVES.items()}
_ENGLISH_VERBS = {
    form: (v, form == v.past) for v in VERBS.values() for form in (v.present, v.past)
}
_KOREAN_VERBS = {e: _korean_verbs(e) for e in ("plain", "relative", *ENDINGS)}
_ENGLISH_TIMES = {words: words for words in TIMES}
_KOREAN_TIMES = {
    tuple(token for token, _ in reversed(time.korean)): words
    for words, time in TIMES.items()
}


class _Reader:
    """Words and a place among them."""

    def __init__(self, words):
        self.words = words
        self.at = 0

    @property
    def next(self):
        return self.words[self.at] if self.at < len(self.words) else None

    def fail(self, expected, back=0):
        self.at -= back
        found = f'found "{self.next}"' if self.next else "the sentence ends"
        raise GrammarError(f"word {self.at + 1}: {found}, expected {expected}")

    def skip(self, word):
        """Step over ``word`` if it comes next, and say whether it did."""
        found = self.next == word
        self.at += found
        return found

    def expect(self, word):
        if not self.skip(word):
            self.fail(f'"{word}"')

    def maybe(self, table):
        """The table's entry for the next word, or None."""
        entry = table.get(self.next)
        self.at += entry is not None
        return entry

    def take(self, table, expected):
        entry = self.maybe(table)
        return self.fail(expected) if entry is None else entry

    def time(self, table):
        for length in (3, 2, 1):
            time = table.get(tuple(self.words[self.at : self.at + length]))
            if time:
                self.at += length
                return time
        return None


def fits(time, past):
    """Whether a time (or None) goes with the tense: "yesterday" only with the past."""
    return time is None or TIMES[time].past in (None, past)


def _closes(object):
    """Whether a clause ends with its object: it has a relative clause."""
    return object is not None and object.relative is not None


class EnglishReader(_Reader):
    """Reads English words from the first to the last."""

    def sentence(self):
        units, conjunctions = [self.unit()], []
        while self.next in ("and", "but"):
            conjunctions.append(self.next)
            self.at += 1
            units.append(self.unit())
        if self.next:
            self.fail('"and", "but", "because" or the end')
        return Sentence(tuple(units), tuple(conjunctions))

    def unit(self):
        main = self.clause()
        return Unit(main, self.clause() if self.skip("because") else None)

    def clause(self):
        time = self.time(_ENGLISH_TIMES)
        return self.predicate(self.phrase(relative=True), time, relative=True)

    def phrase(self, relative=False, nouns=_ENGLISH_NOUNS, expected="a noun"):
        if not self.skip("the"):
            self.fail('"the" and a noun')
        adjective = self.maybe(_ENGLISH_ADJECTIVES)
        noun = self.take(nouns, expected)
        that = relative and self.skip("that")
        return Phrase(noun, adjective, self.relative() if that else None)

    def relative(self):
        if self.next == "the":
            return self.predicate(self.phrase(), gap=True)
        return self.predicate(None)

    def predicate(self, subject, time=None, relative=False, gap=False):
        """A verb and what follows; a ``gap`` stands for an object named before."""
        verb, past = self.verb(time, gap)
        object = None if gap else self.object(verb, relative)
        company = place = None
        if not _closes(object):
            company = self.phrase() if self.skip("with") else None
            place = self.place() if verb.frame != "goal" else None
        return Clause(verb.present, past, subject, object, company, place, time)

    def verb(self, time, gap):
        verb, past = self.take(_ENGLISH_VERBS, "a verb")
        if not fits(time, past):
            tense = "the present" if past else "the past"
            self.fail(f'{tense} after "{" ".join(time)}"', back=1)
        if gap and verb.frame != "transitive":
            self.fail("a verb that takes an object", back=1)
        return verb, past

    def object(self, verb, relative):
        if verb.frame == "goal":
            self.expect("to")
            return self.phrase(relative, _GOALS, "a place")
        return self.phrase(relative) if verb.frame == "transitive" else None

    def place(self):
        preposition = self.next
        nouns = self.maybe(_PLACES)
        expected = f'a place that goes with "{preposition}"'
        return self.phrase(False, nouns, expected) if nouns else None


class KoreanReader(_Reader):
    """Reads Korean tokens from the last to the first: give it the reversed sentence."""

    def sentence(self):
        units, conjunctions = [self.unit("plain")], []
        while self.next:
            conjunctions.append("and" if self.next in _KOREAN_VERBS["and"] else "but")
            units.append(self.unit(conjunctions[-1]))
        return Sentence(tuple(reversed(units)), tuple(reversed(conjunctions)))

    def unit(self, ending):
        main = self.clause(ending, "topic")
        because = self.skip("때문에")
        return Unit(main, self.clause("because", "subject") if because else None)

    def clause(self, ending, role):
        verb, past = self.take(_KOREAN_VERBS[ending], f'a verb form of kind "{ending}"')
        object, company, place = self.complements(verb, relative=True)
        subject = self.marked(role, relative=True)
        time = self.time(_KOREAN_TIMES)
        if not fits(time, past):
            self.fail("a time that goes with the tense", back=1)
        return Clause(verb.present, past, subject, object, company, place, time)

    def relative(self):
        verb, past = self.take(_KOREAN_VERBS["relative"], "a verb form before a noun")
        gap = verb.frame == "transitive" and self.next not in PARTICLES["object"]
        object, company, place = self.complements(verb, gap=gap)
        subject = self.marked("subject") if gap else None
        return Clause(verb.present, past, subject, object, company, place)

    def complements(self, verb, relative=False, gap=False):
        object = None if gap else self.object(verb, relative)
        if _closes(object):
            return object, None, None
        company = self.marked("with") if self.skip("함께") else None
        place = verb.frame != "goal" and self.skip("에서")
        return object, company, self.phrase(nouns=_KOREAN_PLACES) if place else None

    def object(self, verb, relative):
        if verb.frame == "goal":
            self.expect("에")
            return self.phrase(relative, _KOREAN_PLACES)
        return self.marked("object", relative) if verb.frame == "transitive" else None

    def marked(self, role, relative=False):
        """A phrase and its particle, which must suit the phrase's last sound."""
        form = self.take({form: form for form in PARTICLES[role]}, f"a {role} particle")
        phrase = self.phrase(relative)
        if form != particle(NOUNS[phrase.noun].korean, role):
            self.fail("another form of the particle after it", back=1)
        return phrase

    def phrase(self, relative=False, nouns=_KOREAN_NOUNS):
        noun = self.take(nouns, "a noun")
        adjective = self.maybe(_KOREAN_ADJECTIVES)
        described = relative and self.next in _KOREAN_VERBS["relative"]
        return Phrase(noun, adjective, self.relative() if described else None)
