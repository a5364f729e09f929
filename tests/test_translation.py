import hashlib
import random
import time
import unicodedata
from collections import defaultdict
from functools import cache
from itertools import chain, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.data import lexicon, translation
from lookback.data.grammar import render
from lookback.data.lexicon import ADJECTIVES, GLOSSES, KOREAN, NOUNS, TIMES, VERBS
from lookback.data.translation import (
    GrammarError,
    corpus,
    gloss,
    join,
    parse_english,
    parse_korean,
    particle,
    recognise,
    sample,
    split,
    translate,
)

ENGLISH_VERBS = {form for verb in VERBS.values() for form in (verb.present, verb.past)}
seeds = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def pairs():
    return corpus("train", 2000, seed=1)


# --- Korean ---------------------------------------------------------------------------


@given(st.integers(0xAC00, 0xD7A3).map(chr))
def test_particles_follow_the_final_consonant(syllable):
    # Decomposed, a syllable is initial, vowel and, if it has one, final consonant.
    final = len(unicodedata.normalize("NFD", syllable)) == 3
    forms = {"topic": "은는", "subject": "이가", "object": "을를", "with": "과와"}
    for role, (consonant, vowel) in forms.items():
        assert particle("무엇" + syllable, role) == (consonant if final else vowel)


@pytest.mark.parametrize("word", ["", "cat", "빵!", "ㄱ"])
def test_particles_refuse_what_is_not_hangul(word):
    with pytest.raises(ValueError, match="Hangul syllable"):
        particle(word, "topic")


VOWEL = 28  # step in the code between syllables with one vowel and the next
FINALS = {"": 0, "ㄴ": 4, "ㄹ": 8, "ㅆ": 20}
BRIGHT = (0, 8)  # ㅏ ㅗ take 아, the others 어
CONTRACTED = {0: 0, 8: 9, 18: 4, 20: 6}  # with 아 or 어: ㅏ to ㅏ, ㅗ ㅘ, ㅡ ㅓ, ㅣ ㅕ


def _last(word):
    code = ord(word[-1]) - 0xAC00
    return code // VOWEL % 21, code % VOWEL


def _with_final(word, final):
    code = ord(word[-1])
    return word[:-1] + chr(code - (code - 0xAC00) % VOWEL + FINALS[final])


def _before_n(stem):
    """ㄹ is dropped before ㄴ."""
    return _with_final(stem, "") if _last(stem)[1] == FINALS["ㄹ"] else stem


def _past(stem):
    vowel, final = _last(stem)
    if stem.endswith("하"):
        return stem[:-1] + "했"
    if final:
        return stem + ("았" if vowel in BRIGHT else "었")
    shifted = chr(ord(stem[-1]) + (CONTRACTED[vowel] - vowel) * VOWEL)
    return _with_final(stem[:-1] + shifted, "ㅆ")


def _conjugate(stem):
    short = _before_n(stem)
    open_end = _last(short)[1] == 0
    plain = _with_final(short, "ㄴ") + "다" if open_end else stem + "는다"
    past_relative = _with_final(short, "ㄴ") if open_end else stem + "은"
    return plain, _past(stem), short + "는", past_relative


IRREGULAR = {  # ㅂ and ㄷ change before a vowel
    "돕": ("돕는다", "도왔", "돕는", "도운"),
    "듣": ("듣는다", "들었", "듣는", "들은"),
    "걷": ("걷는다", "걸었", "걷는", "걸은"),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_verbs_are_conjugated_by_rule(verb):
    stem = verb.forms["and", False].removesuffix("고")
    plain, past, relative, past_relative = IRREGULAR.get(stem) or _conjugate(stem)
    assert verb.forms == {
        ("plain", False): plain,
        ("plain", True): past + "다",
        ("and", False): stem + "고",
        ("and", True): past + "고",
        ("but", False): stem + "지만",
        ("but", True): past + "지만",
        ("because", False): stem + "기",
        ("because", True): past + "기",
        ("relative", False): relative,
        ("relative", True): past_relative,
    }


def test_no_word_has_two_meanings():
    korean = [noun.korean for noun in NOUNS.values()] + [*ADJECTIVES.values()]
    korean += [form for verb in VERBS.values() for form in verb.forms.values()]
    korean += {token for time in TIMES.values() for token, _ in time.korean} - {"에"}
    korean += [form for forms in lexicon.PARTICLES.values() for form in forms]
    korean += ["에", "에서", "함께", "때문에"]
    assert len(korean) == len(set(korean))
    assert set(korean) == set(KOREAN) == set(GLOSSES)
    english = [*NOUNS, *ADJECTIVES]
    english += ENGLISH_VERBS
    english += {word for time in TIMES for word in time} - {"the", "in", "at"}
    english += ["the", "that", "and", "but", "because", "with", "to", "in", "at"]
    assert len(english) == len(set(english))
    assert set(english) == set(lexicon.ENGLISH)


def test_selections_name_what_there_is():
    groups = {name for noun in NOUNS.values() for name in noun.groups}
    cells = [row[1] for row in lexicon._rows(lexicon._ADJECTIVES)]
    cells += [c for row in lexicon._rows(lexicon._VERBS) for c in row[2:4]]
    assert {name for cell in cells for name in cell.split()} - {"->"} <= groups


# --- translations ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("the cat sleeps", "고양이는 잔다"),
        ("the teacher eats the bread", "선생님은 빵을 먹는다"),
        (
            "in the morning the student reads the book in the library",
            "아침에 학생은 도서관에서 책을 읽는다",
        ),
        ("last night the boy went to the old house", "어젯밤에 소년은 오래된 집에 갔다"),
        (
            "the girl plays with the teacher in the park",
            "소녀는 공원에서 선생님과 함께 논다",
        ),
        ("the dog ran with the friend", "개는 친구와 함께 달렸다"),
        ("the cat that likes the teacher sleeps", "선생님을 좋아하는 고양이는 잔다"),
        (
            "the dog sees the bread that the teacher ate",
            "개는 선생님이 먹은 빵을 본다",
        ),
        (
            "the dog sees the cat that slept in the park",
            "개는 공원에서 잔 고양이를 본다",
        ),
        (
            "the bear sleeps because the fox ate the fish and the bird laughed",
            "여우가 생선을 먹었기 때문에 곰은 자고 새는 웃었다",
        ),
        (
            "the poet wrote the poem that the girl likes"
            " but the doctor works because the child sleeps",
            "시인은 소녀가 좋아하는 시를 썼지만 아이가 자기 때문에 의사는 일한다",
        ),
        (
            "the farmer that came to the market sells the apple",
            "시장에 온 농부는 사과를 판다",
        ),
        (
            "the cat goes to the park that the child likes",
            "고양이는 아이가 좋아하는 공원에 간다",
        ),
    ],
)
def test_translations_by_hand(english, korean):
    pair = translate(english)
    assert join(pair.target) == korean
    assert pair.source == tuple(english.split())


def test_alignment_by_hand():
    pair = translate(
        "the small cat that met the dog ate the bread and last night"
        " the boy went to the park with the fox because the girl slept at the school"
    )
    links = [
        (token, " ".join(pair.source[i] for i in positions))
        for token, positions in zip(pair.target, pair.alignment, strict=True)
    ]
    assert links == [
        ("개", "dog"),
        ("를", "dog"),
        ("만난", "met that"),
        ("작은", "small"),
        ("고양이", "cat"),
        ("는", "cat"),
        ("빵", "bread"),
        ("을", "bread"),
        ("먹었고", "ate and"),
        ("소녀", "girl"),
        ("가", "girl"),
        ("학교", "school"),
        ("에서", "at"),
        ("잤기", "slept"),
        ("때문에", "because"),
        ("어젯밤", "last night"),
        ("에", "night"),
        ("소년", "boy"),
        ("은", "boy"),
        ("여우", "fox"),
        ("와", "with"),
        ("함께", "with"),
        ("공원", "park"),
        ("에", "to"),
        ("갔다", "went"),
    ]
    assert pair.clauses == 4


@given(seeds, st.integers(1, 8))
def test_samples_have_the_clauses_asked_for(seed, clauses):
    pair = sample(random.Random(seed), clauses)
    assert pair.clauses == clauses == sum(w in ENGLISH_VERBS for w in pair.source)
    assert 3 <= len(pair.source) <= max(45, 9 * clauses)


@given(seeds)
def test_alignment_covers_all_but_the(seed):
    pair = sample(random.Random(seed))
    assert len(pair.alignment) == len(pair.target)
    assert all(pair.alignment)
    linked = {position for positions in pair.alignment for position in positions}
    assert linked == {i for i, word in enumerate(pair.source) if word != "the"}


@given(seeds)
def test_alignment_agrees_with_the_glosses(seed):
    pair = sample(random.Random(seed))
    for token, positions in zip(pair.target, pair.alignment, strict=True):
        linked = {pair.source[position] for position in positions}
        if token in lexicon.ATTACHED or token == "함께":
            assert len(linked) == 1
        else:
            named = set(gloss(token).replace("-", " ").split())
            assert linked == named - {"(noun)"}


# --- the language ---------------------------------------------------------------------


def test_parsers_invert_the_grammar(pairs):
    for pair in pairs:
        tree = parse_english(pair.source)
        assert tree is not None
        assert parse_korean(pair.target) == tree
        assert render(tree) == pair == translate(pair.source)


def _derivations(rules, category, words):
    """In how many ways the rules derive the words. Knows nothing of the parsers."""

    @cache
    def spans(symbols, i, j):
        first, *rest = symbols
        if not rest:
            return count(first, i, j)
        ends = range(i + 1, j - len(rest) + 1)
        heads = ((k, count(first, i, k)) for k in ends)
        return sum(n * spans(tuple(rest), k, j) for k, n in heads if n)

    @cache
    def count(symbol, i, j):
        if symbol not in rules:
            return int(j == i + 1 and category(words[i]) == symbol)
        return sum(spans(right, i, j) for right in rules[symbol] if len(right) <= j - i)

    return count("S", 0, len(words))


def _alternatives(right):
    for alternative in right.split("|"):
        words = [
            ((), (w[1:-1],)) if w[0] == "[" else ((w,),) for w in alternative.split()
        ]
        for choice in product(*words):
            yield tuple(chain(*choice))


def _rules(text):
    """Rules from lines such as ``S: U | U and S``; [x] is optional, * any ending."""
    rules = defaultdict(list)
    for line in text.strip().splitlines():
        for ending in ("plain", "relative", *lexicon.ENDINGS) if "*" in line else ("",):
            left, right = line.replace("*", ending).split(":")
            rules[left.strip()] += _alternatives(right)
    return dict(rules)


# More generous than the language (tenses and particles are free): if it gives a sentence
# one derivation, then the language gives it at most one.
ENGLISH_RULES = _rules("""
    S: U | U and S | U but S
    U: CLAUSE | CLAUSE because CLAUSE
    CLAUSE: [TIME] PHRASE REST
    REST: SHORT | transitive SIMPLE RELATIVE | goal to SIMPLE RELATIVE
    SHORT: intransitive [WITH] [PLACE] | transitive SIMPLE [WITH] [PLACE]
    SHORT: goal to SIMPLE [WITH]
    RELATIVE: that SHORT | that SIMPLE transitive [WITH] [PLACE]
    PHRASE: SIMPLE [RELATIVE]
    SIMPLE: the [adjective] noun
    WITH: with SIMPLE
    PLACE: in SIMPLE | at SIMPLE
    TIME: day | at day | in the day | every day | last day
""")
KOREAN_RULES = _rules("""
    S: U_plain | U_and S | U_but S
    U_*: [REASON] [TIME] PHRASE topic REST_*
    REASON: [TIME] PHRASE subject REST_because 때문에
    REST_*: SHORT_* | RELATIVE SIMPLE object transitive_* | RELATIVE SIMPLE 에 goal_*
    SHORT_*: [PLACE] [WITH] intransitive_* | [WITH] SIMPLE 에 goal_*
    SHORT_*: [PLACE] [WITH] SIMPLE object transitive_*
    RELATIVE: SHORT_relative | SIMPLE subject [PLACE] [WITH] transitive_relative
    PHRASE: [RELATIVE] SIMPLE
    SIMPLE: [adjective] noun
    WITH: SIMPLE with 함께
    PLACE: SIMPLE 에서
    TIME: day [에]
""")


def _categories():
    english = dict.fromkeys(NOUNS, "noun") | dict.fromkeys(ADJECTIVES, "adjective")
    korean = {noun.korean: "noun" for noun in NOUNS.values()}
    korean |= dict.fromkeys(ADJECTIVES.values(), "adjective")
    for verb in VERBS.values():
        english |= dict.fromkeys((verb.present, verb.past), verb.frame)
        korean |= {form: f"{verb.frame}_{e}" for (e, _), form in verb.forms.items()}
    for words in TIMES:
        english[words[-1]] = korean[TIMES[words].korean[0][0]] = "day"
    for role, forms in lexicon.PARTICLES.items():
        korean |= dict.fromkeys(forms, role)
    return english, korean


def test_sentences_have_one_derivation(pairs):
    english, korean = _categories()
    for pair in pairs[:150]:
        for rules, category, words in (
            (ENGLISH_RULES, english, pair.source),
            (KOREAN_RULES, korean, pair.target),
        ):
            found = _derivations(rules, lambda w, c=category: c.get(w, w), words)
            assert found == 1, words


def test_one_tree_to_one_sentence(pairs):
    assert len({pair.target for pair in pairs}) == len({pair.source for pair in pairs})


def _without(words, i):
    return words[:i] + words[i + 1 :]


def test_parsers_reject_a_missing_verb(pairs):
    korean = {
        form
        for verb in VERBS.values()
        for (ending, _), form in verb.forms.items()
        if ending != "relative"  # "the cat that sleeps" without 자는 is "the cat"
    }
    for pair in pairs[:300]:
        for i in (i for i, word in enumerate(pair.source) if word in ENGLISH_VERBS):
            assert not recognise(_without(pair.source, i))
        for i in (i for i, token in enumerate(pair.target) if token in korean):
            assert not recognise(_without(pair.target, i), "ko")


def test_parsers_reject_a_wrong_particle(pairs):
    other = dict(lexicon.PARTICLES.values())
    other |= {vowel: consonant for consonant, vowel in other.items()}
    for pair in pairs[:300]:
        for i, token in enumerate(pair.target):
            if token in other:
                wrong = (*pair.target[:i], other[token], *pair.target[i + 1 :])
                assert not recognise(wrong, "ko")


def test_parsers_reject_swapped_words(pairs):
    for pair in pairs[:300]:
        for language, words in (("en", pair.source), ("ko", pair.target)):
            for i in range(len(words) - 1):
                a, b = words[i : i + 2]
                # "that the dog sees runs": verbs side by side may change places.
                if not {a, b} <= ENGLISH_VERBS:
                    assert not recognise((*words[:i], b, a, *words[i + 2 :]), language)


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("", 'word 1: the sentence ends, expected "the" and a noun'),
        ("the elephant sleeps", 'word 2: "elephant" is not in the vocabulary'),
        ("the cat slep", 'word 3: "slep" is not .* near it: slept, sleeps'),
        ("the cat the dog", 'word 3: found "the", expected a verb'),
        ("the small sleeps", 'word 3: found "sleeps", expected a noun'),
        ("the cat sleeps the dog", 'word 4: found "the", expected "and", "but"'),
        ("the cat eats", 'word 4: the sentence ends, expected "the" and a noun'),
        ("the cat goes the park", 'word 4: found "the", expected "to"'),
        ("the cat goes to the dog", 'word 6: found "dog", expected a place'),
        (
            "the cat sleeps in the school",
            'found "school", .* a place that goes with "in"',
        ),
        (
            "yesterday the cat sleeps",
            'found "sleeps", expected the past after "yesterday"',
        ),
        ("now the cat slept", 'found "slept", expected the present after "now"'),
        ("the bread that the cat slept", 'found "slept", expected a verb that takes an'),
        ("the cat saw the dog that ran to the park", 'word 8: found "to"'),
        ("the cat saw the dog that likes the fox that ran", 'word 10: found "that"'),
        ("the cat sleeps because", "word 5: the sentence ends"),
        ("and", 'word 1: found "and"'),
    ],
)
def test_translate_names_what_is_wrong(sentence, message):
    with pytest.raises(GrammarError, match=message):
        translate(sentence)
    assert not recognise(sentence)
    assert parse_english(sentence) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "때문에",
        "잔다",
        "고양이 은 잔다",
        "고양이 가 잔다",
        "고양이 는 자고",
        "어제 고양이 는 잔다",
        "고양이 는 개 에 간다",
        "고양이 는 집 에 잔다",
        "고양이 는 공원 에서 간다",
        "고양이 는 집 에 간다 는",
    ],
)
def test_korean_that_is_wrong(sentence):
    assert not recognise(sentence, "ko")


def test_recognise_wants_a_language():
    with pytest.raises(ValueError, match="'fr'"):
        recognise("le chat dort", "fr")


def test_gloss_and_join():
    assert all(gloss(token) for token in KOREAN)
    assert [gloss(token) for token in ("은", "먹고", "먹은", "먹기", "때문에")] == [
        "(topic)", "eats-and", "that-ate", "eats (noun)", "because",
    ]  # fmt: skip
    assert join(("고양이", "가", "빵", "을", "먹는다")) == "고양이가 빵을 먹는다"
    assert join(()) == ""
    with pytest.raises(ValueError, match=r'"먹는데" is not .* 먹는다'):
        gloss("먹는데")


# --- samples and parts ----------------------------------------------------------------


def test_more_than_a_thousand_million_sentences():
    assert translation.count_sentences() > 10**9


def test_the_count_is_exact_for_one_verb():
    def phrases(nouns):
        return [
            f"the {adjective} {noun}".replace("  ", " ")
            for noun in nouns
            for adjective in ("", *lexicon.FITTING[noun])
        ]

    verb = VERBS["laughs"]
    places = [
        f" {NOUNS[noun].preposition} {phrase}"
        for noun in lexicon.select("place")
        for phrase in phrases([noun])
    ]
    sentences = {
        f"{' '.join(time)} {subject} {form}{place}".strip()
        for time in ((), *TIMES)
        for form in ("laughs", "laughed")
        for subject in phrases(verb.subjects)
        for place in ("", *places)
    }
    inside = {sentence for sentence in sentences if recognise(sentence)}
    assert len(inside) == translation._count_clauses(verb)
    rng = random.Random(0)
    single = (" ".join(sample(rng, 1).source) for _ in range(2000))
    assert {s for s in single if "laugh" in s} <= inside


def test_the_corpus_is_the_same_everywhere():
    lines = [" ".join(p.source + p.target) for p in corpus("train", 1000)]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert digest[:16] == "519b368803025ea1"


def test_a_smaller_corpus_begins_a_larger_one():
    assert corpus("valid", 200, seed=3)[:50] == corpus("valid", 50, seed=3)
    assert corpus("valid", 50, seed=3) != corpus("valid", 50, seed=4)


def test_parts_are_disjoint_and_without_repeats():
    parts = {part: corpus(part, 500, seed=5) for part in ("train", "valid", "test")}
    for part, pairs in parts.items():
        assert {split(pair.source) for pair in pairs} == {part}
        assert len({pair.source for pair in pairs}) == 500
    assert split("the cat sleeps") == split(("the", "cat", "sleeps"))


def test_parts_have_their_shares():
    rng = random.Random(0)
    parts = [split(sample(rng).source) for _ in range(3000)]
    assert 0.77 < parts.count("train") / 3000 < 0.83
    assert 0.08 < parts.count("test") / 3000 < 0.12


def test_clauses_and_lengths_are_well_filled(pairs):
    for clauses in range(1, 6):
        share = sum(pair.clauses == clauses for pair in pairs) / len(pairs)
        assert 0.16 < share < 0.24
    lengths = [len(pair.source) for pair in pairs]
    assert max(lengths) <= 45
    for start in range(3, 38, 5):
        assert sum(start <= n < start + 5 for n in lengths) > 0.07 * len(pairs)
    assert {p.clauses for p in corpus("test", 50, clauses=(1, 4))} == {1, 4}


def test_wrong_requests_are_refused():
    with pytest.raises(ValueError, match="'dev'"):
        corpus("dev", 3)
    with pytest.raises(ValueError, match="at least one clause, but clauses=0"):
        sample(random.Random(0), 0)


def test_throughput():
    start = time.perf_counter()
    pairs = corpus("train", 3000, seed=9)
    made = time.perf_counter()
    assert all(recognise(p.source) and recognise(p.target, "ko") for p in pairs)
    read = time.perf_counter()
    assert made - start < 3  # seconds; it takes about 0.2
    assert read - made < 3
