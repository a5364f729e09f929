"""Explorables in the built site: a picture for each, and the module that wakes them up.

myst-nb leaves a script with the name of a widget's model where the widget was shown, and
one with all states. Where the first stands we put the picture that the notebook stores
beside it; `explorables.mjs` draws the widget in its place.
"""

import base64
import hashlib
import html
import json
import re
from pathlib import Path

import nbformat

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
LIVE = "This control runs live in Colab or Jupyter."
SCRIPT = re.compile(rf'<script type="{re.escape(VIEW)}">\s*(\{{.*?\}})\s*</script>', re.S)


def shown(path: Path):
    """The widgets that a notebook shows: model -> (state or None, PNG or None, alt)."""
    nb = nbformat.read(path, as_version=4)
    states = nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    found = {}
    for cell in nb.cells:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            if VIEW in data:
                model = data[VIEW]["model_id"]
                found[model] = states.get(model), data.get("image/png"), alt
    return found


def standing_in(app, pagename, model, widget) -> str:
    """HTML for the place of one widget: a picture of it, and whether it can wake up."""
    state, png, alt = widget
    picture = image(app, pagename, png, alt) if png else ""
    if state is None or state["model_module"] != "anywidget":
        return f'<div class="runs-live">{picture}<p>{LIVE}</p></div>'
    return f'<div data-widget="{html.escape(model)}">{picture}</div>'


def image(app, pagename, png, alt) -> str:
    """An `<img>`; its file is written to the site's `_images`."""
    data = base64.b64decode(png)
    name = f"explorable-{hashlib.sha256(data).hexdigest()[:12]}.png"
    folder = Path(app.outdir, "_images")
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    up = "../" * pagename.count("/")
    return f'<img src="{up}_images/{name}" alt="{html.escape(alt)}" loading="lazy">'


def wake(app, pagename, templatename, context, doctree):
    """Give a page with widgets their pictures and, if one can wake up, the module."""
    body = context.get("body", "")
    if VIEW not in body:
        return
    widgets = shown(Path(app.env.doc2path(pagename)))

    def stand_in(match):
        model = json.loads(match[1])["model_id"]
        return standing_in(app, pagename, model, widgets.get(model, (None, None, "")))

    context["body"] = SCRIPT.sub(stand_in, body)
    if "data-widget=" in context["body"]:
        app.add_js_file("explorables.mjs", type="module")


def copy_weights(app, error):
    """Put the weights that explorables ask for by name beside the host."""
    if error or app.builder.format != "html":
        return
    from lookback.explore import Explorable  # takes torch along: only where it is used

    folder = Path(app.outdir, "_static/weights")
    folder.mkdir(parents=True, exist_ok=True)
    for kind in Explorable.__subclasses__():
        for name in kind.assets:
            (folder / f"{name}.safetensors").write_bytes(kind.shipped(name))


def setup(app):
    app.connect("html-page-context", wake)
    app.connect("build-finished", copy_weights)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
