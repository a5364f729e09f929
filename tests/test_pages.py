"""Every page of the built book, in a real browser: narrow and wide, light and dark."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).parents[1]
FILES = re.findall(
    r"(?m)^\s*(?:root:|- file:)\s*(\S+)$", (ROOT / "_toc.yml").read_text("utf-8")
)
PAGES = [*(f"{file}.html" for file in FILES), "search.html"]


class Resources(HTMLParser):
    """What a page would fetch without being asked."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "object"):
            self.found += [given.get("src"), given.get("data")]
        if tag == "link" and given.get("rel") not in ("canonical", "author", "license"):
            self.found.append(given.get("href"))


def test_the_book_builds_in_a_minute(built_book):
    assert float((built_book.parents[1] / "seconds").read_text()) < 60


def test_no_page_names_a_resource_of_another_host(built_book):
    for path in built_book.rglob("*.html"):
        parser = Resources()
        parser.feed(path.read_text(encoding="utf-8"))
        elsewhere = [r for r in parser.found if r and re.match(r"(\w+:)?//", r)]
        assert not elsewhere, path.name
        assert "require.min.js" not in path.read_text(encoding="utf-8")


def test_the_first_page_is_the_welcome(visit):
    visit("").page.wait_for_url("**/book/welcome.html")


def cases(path):
    """All four for a page of its own kind; the exercises are alike, so two will do."""
    four = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
    return four[::3] if "/exercises/" in path else four


@pytest.mark.parametrize(
    ("path", "width", "scheme"), [(path, *case) for path in PAGES for case in cases(path)]
)
def test_page_works(visit, path, width, scheme):
    seen = visit(path, width, scheme)
    page = seen.page
    assert page.locator("html").get_attribute("data-theme") == scheme
    formulas_are_set(page)
    explorables_live(page)
    page.wait_for_load_state("networkidle")
    assert overflow(page) == 0
    assert seen.faults == []  # before axe, which looks for style sheets on its own
    assert violations(page) == []


def explorables_live(page):
    """Each wakes up, says in words what it shows, and can stand still."""
    all_names = "roots => roots.map(root => root.dataset.explorable)"
    for name in page.locator("[data-explorable]").evaluate_all(all_names):
        root = wake(page, name)
        said = root.locator("[aria-live=polite]").all_inner_texts()
        assert max(map(len, said)) > 20
    page.emulate_media(reduced_motion="reduce")
    moving = page.locator(".explorable *").evaluate_all(
        """nodes => nodes.filter((node) => {
          const { transitionDuration, animationName } = getComputedStyle(node);
          return animationName !== "none" || /[1-9]/.test(transitionDuration);
        }).map((node) => node.outerHTML)"""
    )
    assert moving == []


def wake(page, name):
    """Bring an explorable into view; it is ready within two seconds."""
    page.locator(f"[data-explorable={name}]").first.scroll_into_view_if_needed()
    ready = page.locator(f"[data-explorable={name}][data-ready=true]")
    ready.wait_for(timeout=2000)
    ready.scroll_into_view_if_needed()
    return ready


def overflow(page):
    """By how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def formulas_are_set(page):
    """Every formula is drawn, in the font for formulas; none is left in LaTeX."""
    formulas = page.locator("article .math")
    sizes = page.evaluate(
        """[...document.querySelectorAll("article .math > math")]
            .filter(e => e.closest("details:not([open])") === null)
            .map(e => e.getBoundingClientRect()).map(box => box.width * box.height)"""
    )
    assert page.locator("article .math > math").count() == formulas.count()
    assert all(size > 20 for size in sizes)
    if sizes:
        page.wait_for_function(
            """[...document.fonts].some(
                face => face.family.includes("Math") && face.status === "loaded")"""
        )
    assert not re.search(r"\\\(|\\\[|\$\$", page.locator("body").inner_text())


# Code is thousands of coloured spans, most of the elements of a chapter, and axe looks at
# each. One of each kind will do; of the others the text stays.
ONE_OF_EACH = """() => {
  const kinds = new Set();
  for (const span of document.querySelectorAll("pre span")) {
    const block = span.closest("pre");
    const kind = [span.className, getComputedStyle(span).color, block.className,
      block.parentElement.className, block.closest(".cell_output") !== null].join();
    if (kinds.has(kind)) span.replaceWith(...span.childNodes);
    kinds.add(kind);
  }
}"""


def violations(page):
    """What axe finds, one line each: the rule and the places. Code loses its colours."""
    page.evaluate(ONE_OF_EACH)
    options = {"resultTypes": ["violations"]}  # of what passes, no list
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']}: {[node['target'] for node in fault['nodes']]}" for fault in found
    ]


@pytest.mark.parametrize("path", [p for p in PAGES if p != "search.html"])
def test_page_reads_without_javascript(visit, path):
    page = visit(path, java_script_enabled=False).page
    assert len(page.locator("article h1").inner_text()) >= 3
    style = "getComputedStyle(document.documentElement)"
    assert page.evaluate(f"{style}.getPropertyValue('--pst-color-text-base')")
    assert page.locator(".math > math").count() == page.locator(".math").count()


def test_faults_are_noticed(visit):
    seen = visit(PAGES[0], 390)
    add = (
        "html => document.querySelector('article').insertAdjacentHTML('beforeend', html)"
    )
    seen.page.evaluate("console.error('broken')")
    seen.page.evaluate(add, "<img src='https://example.org/a.png'><img src='none.png'>")
    seen.page.evaluate(add, "<div style='width: 900px'>wide</div>")
    pale = "<span>def</span><span style='color: #eee'>pale</span>"
    seen.page.evaluate(add, f"<pre style='background: #fff'>{pale}</pre>")
    seen.page.wait_for_load_state("networkidle")
    assert overflow(seen.page) > 0
    found = violations(seen.page)
    assert any("image-alt" in fault for fault in found)
    assert any("color-contrast" in fault for fault in found)
    said = " ".join(seen.faults)
    assert "console: broken" in said
    assert "asked another host: https://example.org/a.png" in said
    assert "404" in said
