"""The words of the English -> Korean language: data, and nothing that depends on order.

A Korean verb is listed as five parts, from which its ten forms are put together:
the stem (먹), the plain present (먹는다), the past stem (먹었), and the two forms that
stand before a noun (먹는 "that eats", 먹은 "that ate"). Irregular verbs are irregular
exactly in these parts; what follows a stem (-고, -지만, -기) is regular for all.

Selections ("person", "bread cake thing") say what makes sense, not what is
grammatical: samples follow them, the parsers do not.
"""

from dataclasses import dataclass

# class: English Korean, ...
_NOUNS = """
person: teacher 선생님, student 학생, friend 친구, child 아이, doctor 의사, boy 소년
person: girl 소녀, farmer 농부, singer 가수, poet 시인, neighbour 이웃, grandmother 할머니
animal: cat 고양이, dog 개, bird 새, rabbit 토끼, bear 곰, fox 여우
food: bread 빵, apple 사과, rice 밥, cake 케이크, egg 달걀, fish 생선
drink: water 물, milk 우유, tea 차, coffee 커피
text: book 책, letter 편지, newspaper 신문, poem 시
sound: song 노래, story 이야기, music 음악
thing: chair 의자, hat 모자, bag 가방, clock 시계, umbrella 우산, toy 장난감, box 상자
in: park 공원, garden 정원, library 도서관, house 집, forest 숲, village 마을
in: restaurant 식당
at: school 학교, market 시장, station 역, hospital 병원
"""

# English Korean | the nouns it goes with
_ADJECTIVES = """
small 작은       | animal child boy girl thing book cake fish place
big 큰           | animal thing bread apple fish place
good 좋은        | teacher student friend doctor dog text sound thing tea restaurant
kind 친절한      | person
happy 행복한     | living
hungry 배고픈    | living
tired 피곤한     | living
famous 유명한    | teacher doctor singer poet book poem song story place
new 새로운       | text sound thing teacher student friend doctor place
old 오래된       | book letter newspaper thing song story place
white 하얀       | animal thing bread rice egg house
black 검은       | animal thing
delicious 맛있는 | food milk tea coffee
warm 따뜻한      | drink bread rice fish house
expensive 비싼   | food tea coffee book thing
quiet 조용한     | person music place
interesting 재미있는 | friend teacher text song story
"""

# present past | parts | subjects | objects, or -> goals | what may join them
_VERBS = """
eats ate       | 먹 먹는다 먹었 먹는 먹은 | living | food | company place time
drinks drank   | 마시 마신다 마셨 마시는 마신 | living | drink | company place time
reads read     | 읽 읽는다 읽었 읽는 읽은 | person | text story | place time
writes wrote   | 쓰 쓴다 썼 쓰는 쓴 | person | book letter poem story | place time
buys bought    | 사 산다 샀 사는 산 | person | food drink thing book | place time
sells sold     | 팔 판다 팔았 파는 판 | person | food drink thing book | place time
makes made     | 만들 만든다 만들었 만드는 만든 | person | bread cake thing | place time
hears heard    | 듣 듣는다 들었 듣는 들은 | living | sound | place time
sees saw       | 보 본다 봤 보는 본 | living | living thing | place time
likes liked    | 좋아하 좋아한다 좋아했 좋아하는 좋아한 | living | all |
helps helped   | 돕 돕는다 도왔 돕는 도운 | living | living | place time
meets met      | 만나 만난다 만났 만나는 만난 | living | living | place time
sleeps slept   | 자 잔다 잤 자는 잔 | living | | place time
laughs laughed | 웃 웃는다 웃었 웃는 웃은 | person | | place time
runs ran       | 달리 달린다 달렸 달리는 달린 | living | | company place time
walks walked   | 걷 걷는다 걸었 걷는 걸은 | living | | company place time
plays played   | 놀 논다 놀았 노는 논 | living | | company place time
works worked   | 일하 일한다 일했 일하는 일한 | person | | company place time
goes went      | 가 간다 갔 가는 간 | living | -> place | company time
comes came     | 오 온다 왔 오는 온 | living | -> place | company time
"""

# English | Korean, each token with the English words it renders | the tense it asks for
_TIMES = """
today          | 오늘:0          | any
every day      | 매일:0,1        | any
in the morning | 아침:2 에:0     | any
in the evening | 저녁:2 에:0     | any
at night       | 밤:1 에:0       | any
now            | 지금:0          | present
yesterday      | 어제:0          | past
last night     | 어젯밤:0,1 에:1 | past
"""


def _rows(table, mark="|"):
    for line in table.strip().splitlines():
        yield [cell.strip() for cell in line.split(mark)]


@dataclass(frozen=True)
class Noun:
    """A noun; a place has its ``preposition`` ("in" or "at"), other nouns have none."""

    english: str
    korean: str
    kind: str
    preposition: str | None = None

    @property
    def groups(self):
        """What a selection may call this noun."""
        living = {"living"} if self.kind in ("person", "animal") else set()
        return {"all", self.kind, self.english} | living


def _noun(kind, pair):
    if kind in ("in", "at"):
        return Noun(*pair.split(), "place", kind)
    return Noun(*pair.split(), kind)


NOUNS = {
    noun.english: noun
    for kind, pairs in _rows(_NOUNS, ":")
    for noun in (_noun(kind, pair) for pair in pairs.split(","))
}


def select(names):
    """Expand a selection such as ``"living bread"`` into a tuple of English nouns."""
    chosen = set(names.split())
    return tuple(noun.english for noun in NOUNS.values() if noun.groups & chosen)


ADJECTIVES = dict(words.split() for words, _ in _rows(_ADJECTIVES))
FITTING = {  # noun: the adjectives that samples put before it
    noun: tuple(w.split()[0] for w, s in _rows(_ADJECTIVES) if noun in select(s))
    for noun in NOUNS
}

ENDINGS = {"and": "고", "but": "지만", "because": "기"}


@dataclass(frozen=True)
class Verb:
    """A verb: its English forms, its Korean forms, and what it goes with.

    ``forms`` maps (ending, past) to the Korean token; the endings are "plain" (ends a
    sentence), "and", "but", "because" (before 때문에) and "relative" (before a noun).
    ``frame`` is "intransitive", "transitive" or "goal" ("to the park", 공원 에).
    ``subjects`` and ``objects`` are the nouns that samples use; ``joined`` says which of
    "company" ("with the friend"), "place" and "time" they may add.
    """

    present: str
    past: str
    forms: dict
    frame: str
    subjects: tuple
    objects: tuple
    joined: frozenset


def _forms(parts):
    stem, plain, past, relative, past_relative = parts.split()
    forms = {("plain", False): plain, ("plain", True): past + "다"}
    for ending, suffix in ENDINGS.items():
        forms[ending, False], forms[ending, True] = stem + suffix, past + suffix
    return forms | {("relative", False): relative, ("relative", True): past_relative}


def _verb(words, parts, subjects, objects, joined):
    goal = objects.startswith("->")
    frame = "goal" if goal else "transitive" if objects else "intransitive"
    return Verb(
        *words.split(),
        _forms(parts),
        frame,
        select(subjects),
        select(objects.removeprefix("->")),
        frozenset(joined.split()),
    )


VERBS = {verb.present: verb for verb in (_verb(*row) for row in _rows(_VERBS))}


@dataclass(frozen=True)
class Time:
    """A time: English words, Korean (token, positions) links, the tense it asks for."""

    english: tuple
    korean: tuple
    past: bool | None


def _time(english, korean, tense):
    tokens = (token.split(":") for token in korean.split())
    links = tuple((t, tuple(map(int, p.split(",")))) for t, p in tokens)
    return Time(
        tuple(english.split()), links, None if tense == "any" else tense == "past"
    )


TIMES = {time.english: time for time in (_time(*row) for row in _rows(_TIMES))}

# A particle has a form after a final consonant and one after a vowel.
PARTICLES = {
    "topic": ("은", "는"),
    "subject": ("이", "가"),
    "object": ("을", "를"),
    "with": ("과", "와"),
}
_FUNCTION_GLOSSES = {
    **{form: f"({name})" for name, forms in PARTICLES.items() for form in forms},
    "과": "with",
    "와": "with",
    "함께": "together",
    "에서": "at",
    "에": "at/to",
    "때문에": "because",
}
ATTACHED = frozenset(_FUNCTION_GLOSSES) - {"함께", "때문에"}  # written without a space


def _verb_gloss(verb, ending, past):
    word = verb.past if past else verb.present
    marked = {"plain": "{}", "because": "{} (noun)", "relative": "that-{}"}
    return marked.get(ending, "{}-" + ending).format(word)


GLOSSES = {
    **{korean: english for english, korean in ADJECTIVES.items()},
    **{noun.korean: noun.english for noun in NOUNS.values()},
    **{
        token: " ".join(time.english[i] for i in links)
        for time in TIMES.values()
        for token, links in time.korean
    },
    **{
        token: _verb_gloss(verb, *form)
        for verb in VERBS.values()
        for form, token in verb.forms.items()
    },
    **_FUNCTION_GLOSSES,
}


def _unique(words):
    return tuple(dict.fromkeys(words))


ENGLISH = _unique(
    ["the", "that", "and", "but", "because", "with", "to", "in", "at"]
    + [*NOUNS, *ADJECTIVES]
    + [form for verb in VERBS.values() for form in (verb.present, verb.past)]
    + [word for words in TIMES for word in words]
)
KOREAN = _unique([*_FUNCTION_GLOSSES, *GLOSSES])
