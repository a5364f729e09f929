"""Formulas become MathML, spaced as TeX spaces them."""

import re
from pathlib import Path

import pytest
from extensions import extension
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[1]


FORMULAS = extension("formulas")


def made(latex):
    """The inner MathML of a formula."""
    found = FORMULAS.mathml(latex, "inline")
    return re.fullmatch(r'<math display="inline"><mrow>(.*)</mrow></math>', found)[1]


THIN = '<mspace width="0.167em" />'
TIGHT = 'lspace="0" rspace="0"'


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        ("x_t", ["<msub><mi>x</mi><mi>t</mi></msub>"]),
        ("x_{<t}", [f"<mo {TIGHT}>&lt;</mo>"]),
        ("h'", [f"<mi>h</mi><mo {TIGHT}>′</mo>"]),
        ("b'_n", [f"<msub><mrow><mi>b</mi><mo {TIGHT}>′</mo></mrow><mi>n</mi></msub>"]),
        (r"\log p", [f"<mi>log</mi>{THIN}<mi>p</mi>"]),
        (r"a \cos b", [f"<mi>a</mi>{THIN}<mi>cos</mi>{THIN}<mi>b</mi>"]),
        (r"\tanh(x)", ["<mi>tanh</mi><mo "]),
        (r"\min(a)", ["<mi>min</mi><mo "]),
        (r"(2,\; -1)", [f'{TIGHT} form="prefix">−</mo><mn>1</mn>']),
        ("a - 1", ["<mi>a</mi><mo>−</mo>"]),
        ("(a) - 1", ["<mo>−</mo>"]),
        ("2i/D", [f'<mo {TIGHT} stretchy="false">/</mo>']),
        (r"\lVert s \rVert", [f'<mo {TIGHT} stretchy="false">‖</mo>']),
    ],
)
def test_spaces_are_those_of_tex(latex, parts):
    found = made(latex)
    assert all(part in found for part in parts), found


def test_an_unknown_command_is_refused():
    with pytest.raises(ValueError, match="does not get"):
        FORMULAS.mathml(r"\nosuchcommand x", "inline")


def test_the_font_has_the_signs_of_every_formula(built_book):
    """And their larger forms, its licence, and not the reserved name."""
    texts = [page.read_text("utf-8") for page in built_book.rglob("book/**/*.html")]
    formulas = [m for text in texts for m in re.findall(r"<math\b.*?</math>", text, re.S)]
    assert len(formulas) > 300
    signs = {sign for one in formulas for sign in re.sub(r"<[^>]+>|&\w+;", "", one)}
    font = TTFont(built_book / "_static/LookBackMath.woff2")
    held = {chr(code) for code in font.getBestCmap()}
    assert sorted(signs - held - {"\n"}) == []
    assert {"𝑥", "𝛼"} <= held  # what browsers draw for a letter x, and for α
    assert "MATH" in font
    assert "STIX" not in font["name"].getDebugName(4)
    assert (
        "SIL OPEN FONT LICENSE"
        in (ROOT / "book/_static/LookBackMath-OFL.txt").read_text()
    )
