"""Explorables in the built site: a picture for each, and the module that wakes them up.

myst-nb leaves a script with the name of a widget's model where the widget was shown, and
one with all states. Where the first stands we put the picture that the notebook stores
beside it; `explorables.mjs` draws the widget in its place. A `.md` page shows the
explorable of a chapter with

    ```{explorable} window
    :chapter: 05_looking_around
    ```
"""

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
LIVE = "Runs live in Colab or Jupyter."
SCRIPT = re.compile(rf'<script type="{re.escape(VIEW)}">\s*(\{{.*?\}})\s*</script>', re.S)


@dataclass
class Shown:
    """A widget as a notebook shows it; `state` is None if it needs a kernel to live."""

    model: str
    state: dict | None = None
    text: str = ""
    png: str | None = None
    alt: str = ""

    @property
    def name(self) -> str | None:
        """The name of an explorable: that of its module; None for other widgets."""
        found = re.fullmatch(
            r"lookback\.explore\.(\w+)\.\w+", self.state["state"]["_anywidget_id"]
        )
        return found and found[1]


def shown(path: Path) -> dict[str, Shown]:
    """The widgets that a notebook shows, by the names of their models."""
    nb = nbformat.read(path, as_version=4)
    states = nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    found = {}
    for cell in nb.cells:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            if VIEW in data:
                model = data[VIEW]["model_id"]
                text, png = data.get("text/plain", ""), data.get("image/png")
                found[model] = Shown(model, states.get(model), text, png, alt)
    return found


def standing_in(app, pagename: str, widget: Shown) -> str:
    """HTML for the place of a widget: a picture of it, and whether it can wake up."""
    picture = image(app, pagename, widget) if widget.png else ""
    if widget.state is not None:
        model, name = html.escape(widget.model), widget.name
        called = f' data-explorable="{name}" data-ready="false"' if name else ""
        return f'<div data-widget="{model}"{called}>{picture}</div>'
    picture = picture or f"<pre>{html.escape(widget.text)}</pre>"
    return f'<figure class="runs-live">{picture}<figcaption>{LIVE}</figcaption></figure>'


def image(app, pagename: str, widget: Shown) -> str:
    """An `<img>`; its file is written to the site's `_images`."""
    data = base64.b64decode(widget.png)
    file = Path(app.outdir, "_images", f"{hashlib.sha256(data).hexdigest()[:32]}.png")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    source = "../" * pagename.count("/") + f"_images/{file.name}"
    return f'<img src="{source}" alt="{html.escape(widget.alt)}" loading="lazy">'


def wake(app, pagename, templatename, context, doctree):
    """Give a page with widgets their pictures and, if one can wake up, the module."""
    body = context.get("body", "")
    if VIEW in body:
        widgets = shown(Path(app.env.doc2path(pagename)))

        def stand_in(match):
            model = json.loads(match[1])["model_id"]
            return standing_in(app, pagename, widgets.get(model, Shown(model)))

        body = context["body"] = SCRIPT.sub(stand_in, body)
    if "data-widget=" in body:
        app.add_js_file("explorables.mjs", type="module")


class Explorable(SphinxDirective):
    """Shows an explorable of a chapter on another page."""

    required_arguments = 1
    option_spec = {"chapter": directives.unchanged_required}  # noqa: RUF012

    def run(self):
        chapter = self.options.get("chapter")
        path = Path(self.env.doc2path(self.env.docname)).parent / f"{chapter}.ipynb"
        if not path.is_file():
            raise self.error(
                f":chapter: {chapter} names no chapter: there is no {path.name}"
            )
        self.env.note_dependency(str(path))
        widgets = {w.name: w for w in shown(path).values() if w.state is not None}
        if (name := self.arguments[0]) not in widgets:
            raise self.error(f"{path.name} shows {sorted(widgets)}, not {name!r}")
        # Every notebook counts its widgets from one: here they may meet another's.
        widget = replace(widgets[name], model=f"{chapter}-{widgets[name].model}")
        states = json.dumps({"state": {widget.model: widget.state}}).replace("</", r"<\/")
        text = standing_in(self.env.app, self.env.docname, widget)
        text += f'<script type="{STATE}">{states}</script>'
        return [nodes.raw("", text, format="html")]


def copy_weights(app, error):
    """Put the weights that explorables ask for by name beside the host."""
    if error or app.builder.format != "html":
        return
    from lookback import explore  # takes torch along: only where it is used

    folder = Path(app.outdir, "_static/weights")
    folder.mkdir(parents=True, exist_ok=True)
    for kind in explore.Explorable.__subclasses__():
        for name in kind.assets:
            (folder / f"{name}.safetensors").write_bytes(kind.shipped(name))


def setup(app):
    app.add_directive("explorable", Explorable)
    app.connect("html-page-context", wake)
    app.connect("build-finished", copy_weights)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
