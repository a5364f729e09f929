"""Explorables without a book: one tiny page with the host and a widget's own state."""

import json
import subprocess
from pathlib import Path

from ipywidgets.embed import dependency_state, embed_data

PAGE = """<!doctype html>
<html lang="en" data-theme="{scheme}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>An explorable</title><link rel="icon" href="data:,">
<script type="application/vnd.jupyter.widget-state+json">{state}</script>
<script type="module" src="/book/_static/explorables.mjs"></script>
<style>body {{ margin: 0; padding: 12px; background: {paper}; color: {ink}; }}</style>
</head>
<body><main data-model="{model}"><h1>An explorable</h1>{before}
<div data-widget="{model}"></div></main>
</body></html>
"""
COLOURS = {"light": ("#ffffff", "#1f2328"), "dark": ("#14181e", "#e6eaee")}


def stored(widget) -> dict:
    """The states that a notebook would store, and which of them is the widget's.

    It is a notebook with this widget alone: without `state`, ipywidgets would add every
    widget of the session, those of other tests too.
    """
    state = dependency_state(widget, drop_defaults=False)
    data = embed_data(views=[widget], state=state)
    return {"states": data["manager_state"], "model": widget.model_id}


def page(widget, scheme="light", before="") -> str:
    """An HTML page that shows a widget, or what `stored` made of one, as the book does.

    before: HTML in front of it, for instance a tall box that hides it below the window.
    """
    given = widget if isinstance(widget, dict) else stored(widget)
    state = json.dumps(given["states"]).replace("</", r"<\/")
    paper, ink = COLOURS[scheme]
    colours = {"scheme": scheme, "paper": paper, "ink": ink}
    return PAGE.format(state=state, before=before, model=given["model"], **colours)


# Draws the page's explorable again, with the host's own function, and keeps its model:
# what a kernel would set and hear.
REMOUNT = """async () => {
  const { mount } = await import("/book/_static/explorables.mjs");
  const text = document.querySelector("script[type$='widget-state+json']").textContent;
  const main = document.querySelector("main");
  window.model = await mount(JSON.parse(text).state[main.dataset.model], main);
}"""


def swipe(page, *places) -> None:
    """Lay a finger on the first place (x, y), lead it to the others, and lift it."""
    session = page.context.new_cdp_session(page)
    kinds = ["touchStart", *["touchMove"] * (len(places) - 1), "touchEnd"]
    for kind, place in zip(kinds, [*places, None], strict=True):
        points = [{"x": place[0], "y": place[1]}] if place else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


SOURCE = Path(__file__).parents[1] / "src/lookback/explore"
CALL = """
const [file, name] = process.argv.slice(-2);
const module = await import(file);
const buffer = (data) => new Uint8Array(Buffer.from(data, "base64")).buffer;
const given = JSON.parse(require("fs").readFileSync(0, "utf8"),
  (_, value) => (value?.$bytes === undefined ? value : buffer(value.$bytes)));
const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
const found = [];
for (const inputs of given) found.push(await module[name](...inputs));
console.log(JSON.stringify(found, plain));
"""


def call(module: str, function: str, inputs: list[list]) -> list:
    """What a function of `explore/MODULE.mjs` returns under node, for each input list.

    Inputs and results are JSON; {"$bytes": base64} becomes an ArrayBuffer, and typed
    arrays come back as lists.
    """
    command = ["node", "--eval", f"(async () => {{{CALL}}})()", "--"]
    done = subprocess.run(
        [*command, SOURCE / f"{module}.mjs", function],
        input=json.dumps(inputs),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def shares(weights) -> list[str]:
    """Weights as the pages write them; small ones are left out."""
    return [f"{round(100 * w)}\u00a0%" if w >= 0.05 else "" for w in weights]
