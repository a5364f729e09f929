"""Pages that a phone shows soon: what no page uses is left out, and nothing waits for it.

Works on the finished site, where it is known what the pages use: one style sheet without
the rules that match nothing, an icon font with the icons that are drawn, scripts after
the text, room for pictures before they come.
"""

import functools
import hashlib
import os
import re
import xml.etree.ElementTree
from pathlib import Path

import pydata_sphinx_theme
import tinycss2
from fontTools import subset
from PIL import Image

LEFT_OUT = (  # the icons are a font as well; no page has toggles, cards or tabs
    "fontawesome.js", "togglebutton.js", "togglebutton.css", "design-tabs.js",
    "sphinx-design.min.css",
)  # fmt: skip
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')  # as black as the rest
SCRIPT = re.compile(r"\s*<script([^>]*)>(.*?)</script>", re.S)
STYLE = re.compile(r'\s*<link href="([^"]+)" rel="stylesheet"[^>]*>'
                   r'|\s*<link rel="stylesheet"[^>]* href="([^"]+)"[^>]*>')  # fmt: skip
PRELOAD = re.compile(r'\s*<link rel="preload" as="script"[^>]*>')
PICTURE = re.compile(r'<img ([^>]*?)src="([^":]+)"([^>]*)>')
CODE = re.compile(r'(<div class="cell_input[^">]*")(>.*?<pre>)(.*?)</pre>', re.S)
ADDRESS = re.compile(r"""url\((["']?)(?!data:|#|/)([^)"']+)\1\)""")
IMPORT = re.compile(r"""@import ["']([^"']+)["'];""")
BRACKETS = re.compile(r":[\w-]+\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^]]*\]")
NAME = re.compile(r"[.#]((?:[\w-]|\\.)+)")
MADE = "bs-", "tooltip"  # names that Bootstrap's script puts together


# --- a page -----------------------------------------------------------------------------


def lighter(text: str, folder: Path, site: "Site") -> str:
    """A page's HTML, made light. `folder` is where the page lies."""
    text = PRELOAD.sub("", PLAIN.sub(r"\1", text))
    text = SCRIPT.sub(lambda found: script(*found.groups(), found[0]), text)
    text = PICTURE.sub(lambda found: picture(*found.groups(), folder), text)
    text = CODE.sub(lambda found: measured(*found.groups()), text)
    return one_sheet(text, folder, site)


def script(given: str, body: str, whole: str) -> str:
    """A script that runs after the text, in the same order as before; or nothing."""
    if any(name in given for name in LEFT_OUT) or re.search(r"^\w+ toggle\w+ =", body):
        return ""
    if "src=" in given and not re.search("defer|module|async", given):
        return whole.replace("<script", "<script defer", 1)
    if "type=" not in given and body.startswith("DOCUMENTATION_OPTIONS."):
        return whole.replace("<script", '<script type="module"', 1)  # deferred as well
    return whole


def picture(before: str, source: str, after: str, folder: Path) -> str:
    """An `<img>` that takes its room at once and is fetched when it comes near."""
    more = ""
    if " width=" not in f" {before}{after}" and (folder / source).is_file():
        more = ' width="{}" height="{}"'.format(*size(folder / source))
    if "_images/" in source and "loading=" not in before + after:
        more += ' loading="lazy"'
    return f'<img {before}src="{source}"{more}{after}>'


@functools.cache
def size(path: Path) -> tuple[int, int]:
    """Width and height of a picture in CSS pixels."""
    if path.suffix != ".svg":
        with Image.open(path) as opened:
            return opened.size
    root = xml.etree.ElementTree.parse(path).getroot()
    box = root.get("viewBox", "").split()[2:]
    given = [root.get("width"), root.get("height")]
    found = given if all(given) else box
    width, height = (round(float(re.match(r"[\d.]+", side)[0])) for side in found)
    return width, height


def measured(opening: str, before: str, code: str) -> str:
    """A code cell that says how many lines it has: its height, before it is drawn."""
    lines = code.count("\n")
    return f'{opening} style="--lines: {lines}"{before}{code}</pre>'


def one_sheet(text: str, folder: Path, site: "Site") -> str:
    """One style sheet in the place of all."""
    names = [one or two for one, two in STYLE.findall(text)]
    names = [name.partition("?")[0] for name in names]
    paths = [folder / name for name in names if Path(name).name not in LEFT_OUT]
    if len(paths) < 2 or not all(path.is_file() for path in paths):
        return text  # light already, or a page whose addresses begin at the server
    sheet = site.sheet(tuple(path.resolve() for path in paths))
    link = f'\n    <link rel="stylesheet" href="{os.path.relpath(sheet, folder)}">'
    return STYLE.sub("", STYLE.sub("\0", text, count=1)).replace("\0", link)


# --- the site ---------------------------------------------------------------------------


class Site:
    """The files of a finished site, and every word in them that could name a rule."""

    def __init__(self, root: Path):
        self.root, self.sheets = root, {}
        self.pages = [p for p in root.rglob("*.html") if "_static" not in p.parts]
        scripts = root.glob("_static/**/*js")
        used = [path for path in scripts if path.name not in LEFT_OUT]
        texts = (path.read_text("utf-8") for path in [*self.pages, *used])
        self.words = {word for text in texts for word in re.findall(r"[\w-]+", text)}

    def sheet(self, paths: tuple[Path, ...]) -> Path:
        """One style sheet for all of these."""
        if paths not in self.sheets:
            target = self.root / "_static"
            text = "\n".join(purged(joined(path, target), self.words) for path in paths)
            name = f"book-{hashlib.sha256(text.encode()).hexdigest()[:12]}.css"
            (target / name).write_text(text, encoding="utf-8")
            self.sheets[paths] = target / name
        return self.sheets[paths]


def joined(path: Path, target: Path) -> str:
    """A style sheet with what it imports, its addresses as seen from another folder."""

    def moved(found):
        address = os.path.relpath(path.parent / found[2].partition("?")[0], target)
        return f"url({Path(address).as_posix()})"

    def imported(found):
        return joined(Path(os.path.normpath(path.parent / found[1])), target)

    return IMPORT.sub(imported, ADDRESS.sub(moved, path.read_text("utf-8")))


def purged(text: str, words: set[str]) -> str:
    """A style sheet without the rules for classes that no page and no script names."""
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    return "".join(kept(rule, words) for rule in rules)


def kept(rule, words: set[str]) -> str:
    """A rule as far as it can match."""
    if rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
        inner = purged(tinycss2.serialize(rule.content), words)
        opening = f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}"
        return f"{opening}{{{inner}}}" if inner else ""
    if rule.type != "qualified-rule":
        return rule.serialize()
    selectors = split(tinycss2.serialize(rule.prelude).strip())
    matching = [one for one in selectors if can_match(one, words)]
    body = tinycss2.serialize(rule.content).strip()
    return f"{','.join(matching)}{{{body}}}" if matching and body else ""


def split(selectors: str) -> list[str]:
    """Selectors between commas, but not those within brackets."""
    return re.split(r",\s*(?![^(\[]*[)\]])", selectors)


def can_match(selector: str, words: set[str]) -> bool:
    """Whether every class and every id that a selector asks for can be there."""
    asked = BRACKETS.sub("", selector)
    names = [name.replace("\\", "") for name in NAME.findall(asked)]
    return all(name in words or name.startswith(MADE) for name in names)


def draw_icons(site: Site) -> None:
    """Leave in the icon fonts what the style sheets draw."""
    rules = "".join(sheet.read_text("utf-8") for sheet in site.sheets.values())
    codes = {ord(icon) for icon in re.findall(r'content:\s*"(.)"', rules)}
    static = (
        Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static"
    )
    for path in static.glob("vendor/fontawesome/webfonts/*.woff2"):
        options = subset.Options(flavor="woff2", name_IDs=["*"])
        font = subset.load_font(path, options)
        maker = subset.Subsetter(options)
        maker.populate(unicodes=codes)
        maker.subset(font)
        subset.save_font(font, site.root / "_static" / path.relative_to(static), options)


def lighten(app, error):
    """Make every page of a finished site light."""
    root = Path(app.outdir)
    if error or app.builder.format != "html" or not (root / "_static/scripts").is_dir():
        return
    for path in (root / "_static").rglob("*.map"):
        path.unlink()
    site = Site(root)
    for path in site.pages:
        text = path.read_text("utf-8")
        path.write_text(lighter(text, path.parent, site), encoding="utf-8")
    draw_icons(site)
    for name in LEFT_OUT:
        for path in (root / "_static").rglob(name):
            path.unlink()


def setup(app):
    app.connect("build-finished", lighten, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
