"""Reviews: what their stars are, and that no count of words could tell."""

from collections import Counter, defaultdict

import pytest

from lookback.data import reviews


@pytest.mark.parametrize(
    ("review", "stars"),
    [
        ("the soup was awful", 1),
        ("the soup was not awful", 4),
        ("the soup was not wonderful", 2),
        ("the soup was good and the room was wonderful", 5),
        ("the soup was awful and the room was dull", 1),
        ("the soup was awful and the room was not good", 1),
        ("the soup was good but the room was awful", 2),
        ("the soup was awful but the room was good", 3),
        ("the soup was awful but the room was wonderful", 4),
        ("the soup was not dull but the room was not good", 3),
    ],
)
def test_stars(review, stars):
    assert reviews.rating(review) == stars
    assert reviews.rating(review.split()) == stars


@pytest.mark.parametrize(
    "review",
    [
        "the soup was good and the room was awful",
        "the soup was good but the room was fine",
        "the soup was good but the soup was awful",
        "the soup was very good",
        "",
    ],
)
def test_other_sentences_have_no_stars(review):
    with pytest.raises(ValueError, match="is no review"):
        reviews.rating(review)


def test_order_matters():
    worth = defaultdict(set)
    for words, stars in reviews.every().items():
        worth[tuple(sorted(words))].add(stars)
    assert sum(len(stars) > 1 for stars in worth.values()) > 1000


def test_every_review_once_and_all_stars():
    found = reviews.every()
    single, pairs = 8 * 16, 8 * 7 * 16 * 16
    assert len(found) == single + pairs
    assert set(Counter(found.values())) == {1, 2, 3, 4, 5}
    assert all(reviews.REVIEW.decode(reviews.REVIEW.encode(w)) == w for w in found)


def test_what_every_gives_may_be_changed():
    reviews.every().clear()
    assert reviews.every()


def test_parts_share_no_review_and_leave_none_out():
    train, test = (reviews.corpus(part) for part in ("train", "test"))
    assert not {w for w, _ in train} & {w for w, _ in test}
    assert len(train) + len(test) == len(reviews.every())
    assert all(reviews.rating(w) == stars for w, stars in train[:100])


def test_a_corpus_is_the_same_for_the_same_seed():
    assert reviews.corpus("train", 50, 1) == reviews.corpus("train", 50, 1)
    assert reviews.corpus("train", 50, 1) != reviews.corpus("train", 50, 2)
    assert len(reviews.corpus("test", 50)) == 50


def test_wrong_parts_and_sizes():
    with pytest.raises(ValueError, match="not 'valid'"):
        reviews.corpus("valid")
    with pytest.raises(ValueError, match="not 99999"):
        reviews.corpus("test", 99999)
    with pytest.raises(ValueError, match="not 0"):
        reviews.corpus("test", 0)
