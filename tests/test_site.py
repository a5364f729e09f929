"""What the site gives to search engines, shared links and slow phones."""

import re
import xml.etree.ElementTree
from pathlib import Path

import pytest

from lookback.data.digits import FILES

ROOT = Path(__file__).parents[1]
TOC = re.findall(
    r"(?m)^\s*(?:root:|- file:)\s*(\S+)$", (ROOT / "_toc.yml").read_text("utf-8")
)
SITE = "https://lookback-book.github.io/lookback/"
PAGES = pytest.mark.parametrize("path", [f"{file}.html" for file in TOC])


def meta(text, name):
    """The content of a <meta> with this name or property."""
    named = rf'<meta (?=[^>]*(?:name|property)="{name}")'  # whichever comes first
    found = re.search(rf'{named}[^>]*content="([^"]*)"', text)
    return found and found[1]


@PAGES
def test_a_shared_link_has_a_card(built_book, path):
    text = (built_book / path).read_text("utf-8")
    assert meta(text, "og:title") in text.split("<title>")[1]
    assert meta(text, "og:url") == SITE + path
    assert meta(text, "og:site_name") == "Look Back"
    assert len(meta(text, "description")) > 40
    card = meta(text, "og:image").removeprefix(SITE)
    assert (built_book / card).stat().st_size > 5_000


def test_the_sitemap_lists_every_page(built_book):
    tree = xml.etree.ElementTree.parse(built_book / "sitemap.xml")
    listed = {node.text for node in tree.iter() if node.tag.endswith("loc")}
    assert {f"{SITE}{file}.html" for file in TOC} <= listed


def test_a_page_that_is_not_there_leads_back(built_book):
    text = (built_book / "404.html").read_text("utf-8")
    assert 'href="/lookback/book/welcome.html"' in text
    assert not re.search(r'(?:src|href)="_static', text)


@PAGES
def test_icons_are_drawn_without_the_script(visit, path):
    page = visit(path).page
    drawn = page.evaluate(
        """document.fonts.ready.then(() =>
            [...document.querySelectorAll("i.fa-solid, i.fa-brands")]
            .filter(icon => icon.offsetParent)
            .map(icon => getComputedStyle(icon, "::before").content))"""
    )
    assert drawn
    assert all(content not in ("none", "normal") for content in drawn)


def test_hangul_has_a_font_where_the_system_has_none(visit):
    page = visit("book/glossary.html").page
    loaded = page.evaluate(
        """document.fonts.ready.then(() => [...document.fonts]
            .filter(face => face.status === "loaded").map(face => face.family))"""
    )
    assert "Look Back Hangul" in " ".join(loaded)


def test_the_page_of_the_search_describes_itself(built_book):
    assert "Look Back" in meta((built_book / "search.html").read_text(), "description")


@pytest.mark.parametrize(
    ("word", "page"),
    [("beam", "choosing_words"), ("QKV", "glossary"), ("어텐션", "glossary")],
)
def test_search_finds(visit, word, page):
    found = visit(f"search.html?q={word}").page.locator(f"ul.search a[href*='{page}']")
    found.first.wait_for()


@PAGES
def test_print_shows_the_text_alone(visit, path):
    page = visit(path, 720).page
    page.emulate_media(media="print")
    assert page.locator("h1:visible").count() == 1
    assert not page.locator(".bd-sidebar-primary").is_visible()
    wide = page.evaluate(
        """[...document.querySelectorAll("article pre, article img, article table")]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1).length"""
    )
    assert wide == 0


def test_the_security_page_names_the_checksums_that_are_compared():
    text = (ROOT / "book/security.md").read_text("utf-8")
    for file in [file for part in FILES.values() for file in part]:
        assert f"{file.sha256}  {file.name}" in text
