"""Made-up restaurant reviews and their stars: a grammar in which order matters.

    review  -> opinion [("and" | "but") opinion]
    opinion -> "the" thing "was" ["not"] adjective

An adjective is worth 1, 2, 4 or 5 stars; "not" turns it over and leaves no extremes
(not wonderful is 2, not awful is 4). "and" joins two good or two bad opinions, "but" a
good and a bad one. A review's stars are the mean of its opinions, where what comes after
"but" counts twice; halves go away from the middle (1.5 is 1, 4.5 is 5).

So the same words in another order may be worth other stars, and no method that only
counts words can be right about both.
"""

import functools
import itertools
import random

from .vocabulary import Vocabulary

THINGS = ("food", "soup", "coffee", "service", "music", "room", "view", "price")
STARS = {
    "awful": 1, "terrible": 1, "dull": 2, "poor": 2,
    "good": 4, "fine": 4, "wonderful": 5, "excellent": 5,
}  # fmt: skip
REVIEW = Vocabulary(("the", "was", "not", "and", "but", *THINGS, *STARS))

Words = tuple[str, ...]


def rating(words) -> int:
    """The stars of a review, 1 to 5.

    Raises:
        ValueError: if the words (a string, or a sequence) are no review of the grammar.
    """
    words = tuple(words.split() if isinstance(words, str) else words)
    stars = _reviews().get(words)
    if stars is None:
        raise ValueError(
            f'"{" ".join(words)}" is no review: expected "the THING was [not] '
            'ADJECTIVE", one alone, or two of different things joined by "and" (both '
            'good or both bad) or "but" (one good, one bad)'
        )
    return stars


def every() -> dict[Words, int]:
    """All reviews of the grammar with their stars, in a fixed order."""
    return dict(_reviews())


def corpus(part: str, size: int | None = None, seed: int = 0) -> list[tuple[Words, int]]:
    """Different reviews with their stars: `size` of a part, or all of it, shuffled.

    part: "train" holds four of five reviews, "test" the others.
    """
    if part not in ("train", "test"):
        raise ValueError(f'part is "train" or "test", not {part!r}')
    reviews = list(_reviews().items())
    random.Random(0).shuffle(reviews)
    cut = len(reviews) * 4 // 5
    reviews = reviews[:cut] if part == "train" else reviews[cut:]
    if size is not None and not 1 <= size <= len(reviews):
        raise ValueError(f"the part {part!r} has {len(reviews)} reviews, not {size}")
    return random.Random(seed).sample(reviews, size or len(reviews))


@functools.cache
def _reviews() -> dict[Words, int]:
    single = {thing: _opinions(thing) for thing in THINGS}
    found = {words: stars for options in single.values() for words, stars in options}
    for one, two in itertools.permutations(THINGS, 2):
        for (a, first), (b, second) in itertools.product(single[one], single[two]):
            joined, stars = _join(first, second)
            found[(*a, joined, *b)] = stars
    return found


def _opinions(thing: str) -> list[tuple[Words, int]]:
    plain = [(("the", thing, "was", word), stars) for word, stars in STARS.items()]
    turned = {1: 4, 2: 4, 4: 2, 5: 2}
    return plain + [((*w[:3], "not", w[3]), turned[stars]) for w, stars in plain]


def _join(first: int, second: int) -> tuple[str, int]:
    """The conjunction of two opinions, and the stars of both."""
    if (first > 3) == (second > 3):
        return "and", (first + second + (first > 3)) // 2
    return "but", (2 * (first + 2 * second) + 3) // 6  # the nearest whole star
