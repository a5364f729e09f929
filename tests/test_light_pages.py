"""What no page uses is left out, nothing is waited for, and nothing jumps."""

import re
from pathlib import Path

import pytest
from extensions import extension
from fontTools.ttLib import TTFont
from test_site import TOC

ROOT = Path(__file__).parents[1]
KB = 1000


LIGHT = extension("light_pages")


def text_of(built_book, path):
    return (built_book / path).read_text("utf-8")


def tags(text, name):
    return re.findall(rf"<{name}\b[^>]*>", text)


def sheet(built_book):
    """The style sheet of all pages."""
    (path,) = {p.name for p in built_book.glob("_static/book-*.css")}
    return text_of(built_book, f"_static/{path}")


# --- the built pages --------------------------------------------------------------------

EVERY = pytest.mark.parametrize(
    "path", [*(f"{file}.html" for file in TOC), "search.html"]
)


@EVERY
def test_every_picture_says_how_large_it_is(built_book, path):
    pictures = tags(text_of(built_book, path), "img")
    assert pictures
    assert all(re.search(r' width="\d+"', one) for one in pictures)
    assert all(re.search(r' height="\d+"', one) for one in pictures)
    assert all('loading="lazy"' in one for one in pictures if "_images/" in one)


@EVERY
def test_nothing_is_waited_for_but_one_small_style_sheet(built_book, path):
    text = text_of(built_book, path)
    scripts = [one for one in tags(text, "script") if " src=" in one]
    assert scripts
    assert all(re.search('defer|type="module"', one) for one in scripts)
    links = [one for one in tags(text, "link") if 'rel="stylesheet"' in one]
    assert len(links) == 1
    assert re.search(r"_static/book-\w+\.css", links[0])
    assert not [one for one in tags(text, "link") if 'rel="preload"' in one]


def test_the_style_sheet_has_no_rule_that_matches_nothing(built_book):
    rules = sheet(built_book)
    assert len(rules) < 180 * KB
    assert ".fa-rocket" in rules
    assert ".fa-skull" not in rules
    assert "@import" not in rules


def test_what_the_style_sheet_names_is_there(built_book):
    names = re.findall(r"""url\(["']?(?!data:|#)([^)"']+)""", sheet(built_book))
    assert "LookBackHangul.ttf" in names
    assert [name for name in names if not (built_book / "_static" / name).is_file()] == []


def test_icon_fonts_have_the_icons_of_the_pages_and_no_others(built_book):
    used = {
        n
        for file in TOC
        for n in re.findall(r"\bfa-[\w-]+", text_of(built_book, f"{file}.html"))
    }
    drawn = dict(re.findall(r'\.(fa-[\w-]+):before\{content:"(.)"', sheet(built_book)))
    assert {"fa-bars", "fa-rocket", "fa-github"} <= used & drawn.keys()
    fonts = [*built_book.glob("_static/vendor/fontawesome/webfonts/*.woff2")]
    held = set().union(*(TTFont(font).getBestCmap() for font in fonts))
    assert {ord(drawn[name]) for name in used & drawn.keys()} <= held
    assert sum(font.stat().st_size for font in fonts) < 10 * KB


@EVERY
def test_what_is_left_out_is_not_asked_for(built_book, path):
    text = text_of(built_book, path)
    assert not [name for name in LIGHT.LEFT_OUT if name in text]
    assert not re.search(r'class="(?:[^"]* )?(?:sd-[\w-]+|toggle)[ "]', text)
    if path != "search.html":
        assert "searchindex.js" not in text


def test_what_is_left_out_is_not_there(built_book):
    assert not list(built_book.rglob("*mathjax*"))
    files = {path.name for path in (built_book / "_static").rglob("*")}
    assert not files & {*LIGHT.LEFT_OUT}
    assert not [name for name in files if name.endswith(".map")]


def test_names_and_punctuation_are_as_black_as_the_rest(built_book):
    for scheme in "light", "dark":
        rules = re.findall(
            rf'html\[data-theme="{scheme}"\] \.highlight( \.\w+)?\{{([^}}]*)\}}',
            sheet(built_book),
        )
        colours = {
            name.strip(" ."): re.search(r"(?<!-)color: (#\w+)", body)
            for name, body in rules
        }
        assert colours[""]
        for name in ("n", "nn", "p", "w"):
            found = colours.get(name)
            assert found is None or found[1] == colours[""][1], name


@pytest.mark.parametrize("width", [390, 1280])
def test_code_has_its_room_before_it_is_laid_out(visit, width):
    page = visit("book/03_choosing_words.html", width).page
    off = page.evaluate(
        """[...document.querySelectorAll("div.cell_input")].filter(e => e.offsetParent)
            .map(e => {
                e.style.contentVisibility = "hidden";
                const kept = e.offsetHeight;
                e.style.contentVisibility = "visible";
                return Math.abs(e.offsetHeight - kept);
            })"""
    )
    assert len(off) > 20
    assert max(off) <= 2


# --- the parts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("p > a:hover", True),
        (".known .other", True),
        (".known.unknown", False),
        ("#unknown", False),
        (".known:not(.unknown, :is(.b))", True),
        ('html[data-x=".unknown"] .known', True),
        (r".sm\:known", False),
        (".bs-tooltip-auto", True),
    ],
)
def test_a_rule_is_kept_if_it_can_match(selector, matches):
    assert LIGHT.can_match(selector, {"known", "other"}) == matches


def test_only_rules_that_match_nothing_are_left_out():
    given = (
        '@charset "utf-8"; .a, .none > .a, p:is(.b, .c) { top: 0 } .none { top: 1px }'
        "@media print { .none { top: 2px } .a { top: 3px } }"
        "@media screen { .none { top: 4px } } @font-face { font-family: F }"
    )
    assert re.sub(r"\s", "", LIGHT.purged(given, {"a"})) == (
        '@charset"utf-8";.a,p:is(.b,.c){top:0}@mediaprint{.a{top:3px}}@font-face{font-family:F}'
    )


def test_a_joined_sheet_finds_its_files(tmp_path):
    (tmp_path / "styles").mkdir()
    (tmp_path / "basic.css").write_text("a { background: url(plus.png) }")
    (tmp_path / "styles/theme.css").write_text(
        '@import "../basic.css"; b { src: url("../fonts/x.woff2?v=1"), url(data:x) }'
    )
    assert LIGHT.joined(tmp_path / "styles/theme.css", tmp_path) == (
        "a { background: url(plus.png) } b { src: url(fonts/x.woff2), url(data:x) }"
    )


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ('<script src="a.js"></script>', '<script defer src="a.js"></script>'),
        ('<script type="module" src="a.mjs"></script>',) * 2,
        ('<script src="s/togglebutton.js?v=1"></script>', ""),
        ("<script>let toggleHintShow = 'x';</script>", ""),
        (
            "<script>DOCUMENTATION_OPTIONS.pagename = 'x';</script>",
            "<script type=\"module\">DOCUMENTATION_OPTIONS.pagename = 'x';</script>",
        ),
        ("<script>document.write('x')</script>",) * 2,
        (
            '<span class="n">x</span><span class="k">in</span>',
            'x<span class="k">in</span>',
        ),
    ],
)
def test_scripts_run_after_the_text_and_in_their_order(given, made, tmp_path):
    assert LIGHT.lighter(given, tmp_path, None) == made
    assert LIGHT.lighter(made, tmp_path, None) == made


def test_a_picture_takes_its_room(tmp_path):
    (tmp_path / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"/>'
    )
    made = LIGHT.lighter('<img alt="" src="a.svg">', tmp_path, None)
    assert made == '<img alt="" src="a.svg" width="40" height="30">'
    assert LIGHT.lighter(made, tmp_path, None) == made
    assert LIGHT.lighter('<img src="none.png">', tmp_path, None) == '<img src="none.png">'


def test_code_says_how_many_lines_it_has(tmp_path):
    given = '<div class="cell_input docutils container">\n<pre><span></span>a\nb\n</pre>'
    made = LIGHT.lighter(given, tmp_path, None)
    assert '<div class="cell_input docutils container" style="--lines: 2">' in made
    assert LIGHT.lighter(made, tmp_path, None) == made
