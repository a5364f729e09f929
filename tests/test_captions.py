"""Captions say what was measured; the measures are right where one knows the answer."""

from collections import Counter

import pytest
import torch

from lookback.data import captions
from lookback.data.digits import embedded


def stroke(width, degrees=0.0, grey=255):
    """A pen stroke 20 pixels tall, leaning right, its edges drawn in greys."""
    y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    middle = 13.5 + (13.5 - y) * torch.tan(torch.deg2rad(torch.tensor(degrees)))
    cover = (width / 2 + 0.5 - (x - middle).abs()).clamp(0, 1)
    cover[(y < 4) | (y > 23)] = 0
    return (cover * grey).round().byte()[None]


@pytest.mark.parametrize("degrees", [-30.0, -10.0, 0.0, 20.0])
def test_slant_of_a_stroke(degrees):
    assert captions.slant(stroke(3, degrees)).item() == pytest.approx(degrees, abs=0.5)


def test_a_mirrored_digit_leans_the_other_way():
    images, _ = embedded()
    mirrored = captions.slant(images[:50].flip(2))
    torch.testing.assert_close(mirrored, -captions.slant(images[:50]))


@pytest.mark.parametrize("width", [2, 3, 4, 5])
def test_thickness_of_a_stroke(width):
    assert captions.thickness(stroke(width)).item() == pytest.approx(
        width * 20 / (20 + width), rel=0.05
    )


def test_a_paler_pen_is_as_thick():
    pale = captions.thickness(stroke(3, grey=128))
    torch.testing.assert_close(pale, captions.thickness(stroke(3)), rtol=0.01, atol=0)


def test_empty_paper_has_no_thickness_and_no_slant():
    paper = torch.zeros(1, 28, 28, dtype=torch.uint8)
    assert captions.thickness(paper).item() == 0
    assert captions.slant(paper).item() == 0


def test_a_third_of_each_class_goes_without_each_word():
    images, labels = embedded()
    words = captions.captions(images, labels)
    for name in captions.NAMES:
        mine = [w for w in words if name in w]
        count = Counter(word for w in mine for word in w)
        for word in ("thin", "thick", "left", "right"):
            assert abs(count[word] - 500 / 3) < 2, (name, word)
        assert abs(count["leaning"] - 1000 / 3) < 3


def test_words_follow_the_measures():
    images, labels = embedded()
    sevens = images[labels == 7]
    words = captions.captions(sevens, torch.full((len(sevens),), 7))
    width, lean = captions.thickness(sevens), captions.slant(sevens)
    thin = torch.tensor(["thin" in w for w in words])
    thick = torch.tensor(["thick" in w for w in words])
    assert width[thin].max() < width[~thin].min()
    assert width[thick].min() > width[~thick].max()
    right = torch.tensor(["right" in w for w in words])
    assert lean[right].min() > lean[~right].max()


def test_an_stands_before_eight_alone():
    words = captions.captions(*embedded())
    for caption in words:
        assert (caption[0] == "an") == (caption[1] == "eight"), caption
    assert len(set(words)) == 90
    assert all(captions.CAPTION.decode(captions.CAPTION.encode(w)) == w for w in words)


def test_captions_need_a_label_for_each_image():
    images, labels = embedded()
    with pytest.raises(ValueError, match=r"4 images need \(4,\)"):
        captions.captions(images[:4], labels[:3])
    with pytest.raises(ValueError, match=r"not in 0 \.\. 9"):
        captions.captions(images[:2], torch.tensor([3, 10]))
    with pytest.raises(ValueError, match="expected a tensor"):
        captions.thickness(images[0])


def test_labels_of_bytes_are_no_mask():
    images, labels = embedded()
    images, labels = images[:300:20], labels[:300:20]
    assert captions.captions(images, labels.byte()) == captions.captions(images, labels)
