"""What holds for every explorable: bundle, colours, weights, host, place in the book."""

import base64
import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import anywidget
import nbformat
import pytest
import torch
import traitlets
from explorables import SOURCE, call
from extensions import extension
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import expect
from safetensors.torch import save
from test_pages import PAGES as BOOK

from lookback import explore, notebooks, zoo
from lookback.explore import stored, theme
from lookback.explore.explorable import Explorable, bundle

ROOT = Path(__file__).parents[1]
KINDS = [getattr(explore, name) for name in explore.__all__ if name != "Explorable"]
KB = 1000


EXTENSION = extension("explorables")


def name_of(kind):
    return kind.__module__.rpartition(".")[2]


# --- bundles ----------------------------------------------------------------------------


def node(code, **options):
    command = ["node", "--input-type=module", "--eval", code]
    return subprocess.run(command, capture_output=True, text=True, **options)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_bundle_is_one_module_that_renders(kind):
    data = base64.b64encode(kind._esm.encode()).decode()
    url = f"data:text/javascript;base64,{data}"
    done = node(f"const m = await import('{url}'); console.log(typeof m.default.render)")
    assert done.stdout == "function\n", done.stderr
    assert f'explorable("{name_of(kind)}"' in kind._esm


@pytest.mark.parametrize("path", [*SOURCE.glob("*.mjs"), ROOT / "book/_static"], ids=str)
def test_modules_make_no_html_and_ask_nobody(path):
    files = [path] if path.is_file() else path.glob("*.mjs")
    for file in files:
        text = re.sub(r"(?m)//.*$|/\*.*?\*/", "", file.read_text("utf-8"), flags=re.S)
        found = re.findall(
            r"\w*(?:inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\b|"
            r"new Function|XMLHttpRequest|https?://(?!www\.w3\.org/)\S+",
            text,
        )
        assert not found, file.name


@pytest.mark.parametrize(
    "line",
    [
        'import * as toolkit from "./toolkit.mjs";',
        'import { a } from "https://example.org/a.mjs";',
        "export { a };",
    ],
)
def test_bundle_refuses_what_it_cannot_join(tmp_path, line):
    (tmp_path / "a.mjs").write_text(f"{line}\nexport default {{}};\n")
    with pytest.raises(ValueError, match=r"a\.mjs has an import or export"):
        bundle(tmp_path / "a.mjs")


def test_bundle_takes_each_module_once_and_in_order(tmp_path):
    (tmp_path / "a.mjs").write_text("export const a = 1;\n")
    (tmp_path / "b.mjs").write_text(
        'import { a } from "./a.mjs";\nexport const b = a + 1;\n'
    )
    (tmp_path / "c.mjs").write_text(
        'import { a } from "./a.mjs";\nimport {\n  b,\n} from "./b.mjs";\n'
        "export default a + b;\n"
    )
    expected = "const a = 1;\nconst b = a + 1;\nexport default a + b;\n"
    assert re.sub(r"\n+", "\n", bundle(tmp_path / "c.mjs")) == expected


# --- colours ----------------------------------------------------------------------------


@pytest.mark.parametrize("base", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_colours_can_be_read(base):
    towards = "#000000" if base is theme.LIGHT else "#FFFFFF"
    found = re.findall(r"--([\w-]+): (#\w+);", theme._declarations(base, towards))
    colours = dict(found)
    for name, colour in colours.items():
        if name.endswith("ink") or name == "muted":
            assert theme.contrast(colour, colours["paper"]) >= 4.5, name
            assert theme.contrast(colour, colours["field"]) >= 4.5, name
        elif name not in ("paper", "field", "grid", "unseen"):
            assert theme.contrast(colour, colours["paper"]) >= 3, name
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21)


# --- weights ----------------------------------------------------------------------------


def test_weights_are_read_as_python_reads_them(tmp_path):
    torch.manual_seed(0)
    odd = torch.tensor([0.0, -0.0, 1e-7, 65504.0, -1 / 3, float("inf")])
    tensors = {
        "half": torch.randn(3, 5).half(), "brain": torch.randn(4).bfloat16(),
        "whole": torch.randn(2, 2), "count": torch.arange(-3, 3),
        "byte": torch.arange(5, dtype=torch.uint8), "odd": odd.half(),
    }  # fmt: skip
    data = base64.b64encode(save(tensors, {"class": "Test"})).decode()
    (found,) = call("weights", "safetensors", [[{"$bytes": data}]])
    assert found["metadata"] == {"class": "Test"}
    for name, tensor in tensors.items():
        assert found["tensors"][name]["shape"] == list(tensor.shape)
        values = [float(x or 0) for x in found["tensors"][name]["data"]]
        expected = tensor.double().flatten().nan_to_num(posinf=0)
        assert torch.equal(torch.tensor(values).double(), expected.float().double()), name


class Asks(anywidget.AnyWidget):
    """Asks for weights, and says how many bytes and tensors came."""

    _esm = bundle(SOURCE / "weights.mjs") + (
        "export default { async render({ model, el }) { try {"
        " const bytes = await asset(model, model.get('name'));"
        " el.textContent = Object.keys(safetensors(bytes).tensors).length;"
        " } catch (error) { el.textContent = error.message; }"
        " el.dataset.explorable = 'asks'; el.dataset.ready = 'true'; } };"
    )
    name = traitlets.Unicode().tag(sync=True)
    assets = ("pixelcnn",)
    sent = ()

    def asset(self, name):
        return zoo.find(name).read_bytes()

    def send(self, content, buffers=None):
        self.sent = content, buffers


def test_the_page_gets_weights(mount):
    seen = mount(Asks(name="pixelcnn"))
    count = len(zoo.load("pixelcnn").state_dict())
    expect(seen.page.locator("[data-explorable=asks]")).to_have_text(str(count))
    assert seen.faults == []


def test_the_kernel_answers_with_weights():
    widget = Asks()
    Explorable._answer(widget, widget, {"asset": "pixelcnn"}, [])
    content, (data,) = widget.sent
    assert content == {"asset": "pixelcnn"}
    assert data == zoo.find("pixelcnn").read_bytes()
    Explorable._answer(widget, widget, {"asset": "../secrets"}, [])
    assert "no asset '../secrets'" in widget.sent[0]["error"]


# --- the host ---------------------------------------------------------------------------


class Stranger(anywidget.AnyWidget):
    """An anywidget that is none of ours, with all that a host must know."""

    _esm = """
    export default () => ({
      initialize({ model }) { model.set("count", 7); },
      render({ model, el }) {
        const heard = [];
        const one = (_, value) => heard.push(`one ${value}`);
        const two = () => heard.push("two");
        model.on("change:count", one);
        model.on("change", two);
        model.set("count", 7);
        model.set("count", 8);
        model.off("change:count", one);
        model.set({ count: 9, other: 1 });
        model.save_changes();
        model.off("change");
        model.set("count", 10);
        const bytes = [model.get("data"), model.get("nest").inner[1]];
        const numbers = bytes.map(
          (view) => [...new Uint8Array(view.buffer, view.byteOffset)]);
        el.textContent = JSON.stringify([heard, numbers, model.get("count")]);
        el.dataset.explorable = "stranger";
        el.dataset.ready = "true";
      },
    });
    """
    _css = "[data-explorable=stranger] { color: rgb(1, 2, 3); }"
    count = traitlets.Int(0).tag(sync=True)
    other = traitlets.Int(0).tag(sync=True)
    data = traitlets.Bytes(bytes([1, 2, 250])).tag(sync=True)
    nest = traitlets.Dict({"inner": [0, b"\x05"]}).tag(sync=True)


def test_the_host_mounts_any_anywidget(mount):
    seen = mount(Stranger())
    place = seen.page.locator("[data-explorable=stranger]")
    heard, numbers, count = json.loads(place.inner_text())
    assert heard == ["one 8", "two", "two", "two"]
    assert numbers == [[1, 2, 250], [5]]
    assert count == 10
    assert place.evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    assert seen.faults == []


def test_nothing_wakes_before_it_is_near(mount):
    seen = mount(Stranger(), before="<div style='height: 5000px'></div>")
    seen.page.wait_for_timeout(500)
    assert seen.page.locator("[data-explorable]").count() == 0
    seen.page.locator("[data-widget]").scroll_into_view_if_needed()
    seen.page.evaluate("scrollTo(0, 1e6)")
    seen.page.locator("[data-explorable][data-ready=true]").wait_for()


class Broken(anywidget.AnyWidget):
    _esm = "export default { render() { throw new Error('broken'); } };"


def test_what_cannot_start_leaves_its_picture(mount):
    seen = mount(Broken(), before=" ")
    seen.page.wait_for_function("document.querySelector('[data-widget]')")
    seen.page.wait_for_timeout(500)
    assert seen.page.locator("[data-widget]").count() == 1
    assert any("could not start" in fault for fault in seen.faults)


class Typed(anywidget.AnyWidget):
    _esm = bundle(SOURCE / "toolkit.mjs") + (
        "export default explorable('typed', 'Typed', ({ root, say }) => root.append("
        "field({ label: 'word', change: (text) => say(`You typed ${text}.`) })));"
    )


def test_markup_is_text(mount):
    seen = mount(Typed())
    markup = "<img src=x onerror=console.error('reached')><b>bold</b>"
    seen.page.get_by_label("word").fill(markup)
    expect(seen.page.locator(".says")).to_have_text(f"You typed {markup}.")
    assert seen.page.locator(".says *").count() == 0
    assert seen.faults == []


def test_handlers_cannot_be_text(mount):
    toolkit = "import('/src/lookback/explore/toolkit.mjs')"
    page = mount(Typed()).page
    with pytest.raises(Exception, match="onclick must be a function"):
        page.evaluate(f"{toolkit}.then((kit) => kit.element('a', {{ onclick: 'x' }}))")


def test_a_widget_that_needs_a_kernel_says_so():
    widget = EXTENSION.Shown("not-kept", text="IntSlider(value=3)")
    place = EXTENSION.standing_in(None, "book/a", widget)
    assert "IntSlider(value=3)" in place
    assert "Runs live in Colab or Jupyter" in place
    assert "data-widget" not in place


def test_it_stands_there_as_a_picture_if_it_has_one(tmp_path):
    png = base64.b64encode(b"a picture").decode()
    widget = EXTENSION.Shown("not-kept", png=png, alt="A slider at 3")
    app = SimpleNamespace(outdir=tmp_path)
    place = EXTENSION.standing_in(app, "book/a", widget)
    [(source, alt)] = re.findall(r'<img src="\.\./([^"]+)" alt="([^"]+)"', place)
    assert (tmp_path / source).read_bytes() == b"a picture"
    assert alt == "A slider at 3"
    assert "Runs live in Colab or Jupyter" in place


# --- in the book ------------------------------------------------------------------------


def shown():
    """The explorables of each chapter: page -> names."""
    found = {}
    for path in sorted(ROOT.glob("book/*.ipynb")):
        widgets = EXTENSION.shown(path).values()
        if names := [widget.name for widget in widgets if widget.state]:
            found[f"book/{path.stem}.html"] = names
    return found | {"book/welcome.html": ["window"]}


PAGES = shown()


@pytest.mark.parametrize("path", sorted(ROOT.glob("book/*.ipynb")), ids=lambda p: p.stem)
def test_stored_states_are_light(path):
    metadata = json.loads(path.read_text("utf-8"))["metadata"]
    assert len(json.dumps(metadata.get("widgets", {}))) < 400 * KB


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_explorable_is_in_a_chapter(kind):
    assert any(name_of(kind) in names for names in PAGES.values())


@pytest.mark.parametrize("path", sorted(ROOT.glob("book/*.ipynb")), ids=lambda p: p.stem)
def test_stored_code_is_that_of_the_package(path):
    kinds = {name_of(kind): kind for kind in KINDS}
    for widget in EXTENSION.shown(path).values():
        if widget.state:
            kind, state = kinds[widget.name], widget.state["state"]
            hint = f"run `python -m lookback refresh {path.name}`"
            assert state["_esm"] == kind._esm, hint
            assert state["_css"] == kind._css, hint


def test_refresh_renews_the_code_and_keeps_the_data(tmp_path, capsys):
    path = tmp_path / "a.ipynb"
    name = "lookback.explore.query.Query"
    state = {"_anywidget_id": name, "_esm": "old", "unit": "legs"}
    widget = {"model_name": "AnyModel", "model_module": "anywidget", "state": state}
    nb = new_notebook(cells=[new_code_cell("w", execution_count=1)])
    view = {notebooks.WIDGET_VIEW: {"model_id": "x"}}
    nb.cells[0].outputs = [new_output("display_data", data=view)]
    nb.metadata["widgets"] = {notebooks.WIDGET_STATE: {"state": {"x": widget}}}
    path.write_text(nbformat.writes(nb))
    assert stored.main([str(path)]) == 0
    nb = nbformat.read(path, as_version=4)
    (widget,) = nb.metadata["widgets"][notebooks.WIDGET_STATE]["state"].values()
    assert widget["state"]["_esm"] == explore.Query._esm
    assert widget["state"]["unit"] == "legs"
    before = path.read_bytes()
    capsys.readouterr()
    assert stored.main([str(path)]) == 0
    assert capsys.readouterr().out == ""
    assert path.read_bytes() == before
    assert stored.main([str(tmp_path / "none.ipynb")]) == 1


@pytest.mark.parametrize("path", PAGES)
def test_the_page_holds_its_explorables(built_book, path):
    """`test_pages.py` wakes up all that it finds in a page."""
    html = (built_book / path).read_text("utf-8")
    assert re.findall(r'data-explorable="(\w+)" data-ready="false"', html) == PAGES[path]
    assert set(PAGES) <= set(BOOK)


@pytest.mark.parametrize("path", PAGES)
def test_without_javascript_a_picture_stands_there(visit, path):
    page = visit(path, java_script_enabled=False).page
    pictures = page.locator("[data-widget] img")
    assert pictures.count() == len(PAGES[path])
    for picture in pictures.all():
        assert len(picture.get_attribute("alt")) >= 20
        picture.scroll_into_view_if_needed()
        assert picture.bounding_box()["height"] > 50


@pytest.mark.parametrize("path", PAGES)
def test_page_is_light(built_book, path):
    """A page beyond what all pages share: text with states, pictures, host, weights."""
    html = (built_book / path).read_text("utf-8")
    names = [
        name for kind in KINDS if name_of(kind) in PAGES[path] for name in kind.assets
    ]
    images = set(re.findall(r'<img[^>]* src="(?:\.\./)?(_images/[^"]+)"', html))
    assert len(images) >= len(PAGES[path])
    files = [path, *images, "_static/explorables.mjs"]
    files += [f"_static/weights/{name}.safetensors" for name in names]
    size = sum(len(gzip.compress((built_book / file).read_bytes())) for file in files)
    assert size < (900 if names else 400) * KB


def test_only_pages_with_explorables_load_the_host(built_book):
    for page in built_book.rglob("*.html"):
        text, path = page.read_text("utf-8"), page.relative_to(built_book).as_posix()
        assert ("explorables.mjs" in text) == (path in PAGES), path
        assert "html-manager" not in text, path


def on_a_page(tmp_path, content):
    """The HTML of a page with this content, built with the extension alone."""
    book = tmp_path / "source"
    book.mkdir()
    for path in ROOT.glob("book/0*.ipynb"):
        (book / path.name).write_bytes(path.read_bytes())
    (book / "index.md").write_text(content)
    (book / "conf.py").write_text(
        "extensions = ['myst_parser', 'explorables']\nexclude_patterns = ['*.ipynb']\n"
    )
    command = [sys.executable, "-m", "sphinx", "-q", str(book), str(tmp_path / "built")]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT / "book/_ext")},
        capture_output=True, text=True,
    )  # fmt: skip
    return (tmp_path / "built/index.html").read_text("utf-8"), done.stderr


def test_explorables_of_two_chapters_meet_on_a_page(tmp_path):
    asked = "```{{explorable}} {}\n:chapter: {}\n```\n"
    html, _ = on_a_page(
        tmp_path,
        "# Page\n" + asked.format("window", "05_looking_around")
        + asked.format("backs", "01_handed_along"),
    )  # fmt: skip
    models = re.findall(r'data-widget="([^"]+)"', html)
    states = re.findall(r"<script type=.[^>]*widget-state[^>]*>(.*?)</script>", html)
    assert len(set(models)) == 2
    assert [list(json.loads(state)["state"]) for state in states] == [[m] for m in models]


@pytest.mark.parametrize("option", ["", ":chapter: 09_nowhere\n"])
def test_an_explorable_of_no_chapter_is_named(option, tmp_path):
    _, said = on_a_page(tmp_path, f"# Page\n```{{explorable}} window\n{option}```\n")
    assert "names no chapter" in said
    assert "index.md:2" in said


def test_the_theme_does_not_squeeze_an_explorable(visit):
    """Bootstrap has rules of its own for names such as `row`."""
    page = visit("book/02_one_vector.html", width=390).page
    page.locator("[data-explorable=bottleneck]").scroll_into_view_if_needed()
    cells = page.locator(".sureness")
    expect(cells.first).to_be_visible()
    for cell in cells.all():
        inner = cell.locator("i").bounding_box()
        assert inner["width"] == cell.bounding_box()["width"] > 5
    page = visit("book/01_handed_along.html").page
    page.locator("[data-explorable=backs]").scroll_into_view_if_needed()
    head = page.locator(".person circle").first
    expect(head).to_be_visible()
    assert head.bounding_box()["width"] > 15


def test_korean_cells_are_drawn_with_their_font(visit):
    """What is drawn late, when the font is there, looks the same as what is there."""
    page = visit("book/01_handed_along.html").page
    page.wait_for_function("document.fonts.status === 'loaded'")
    cell = page.locator("td", has_text="개").first
    cell.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    before = cell.screenshot()
    cell.evaluate(
        "(td) => { td.style.display = 'none'; td.offsetHeight; td.style.display = ''; }"
    )
    assert cell.screenshot() == before


def test_every_number_of_the_beam_fits_its_box(visit):
    """In the book's font, which is wider than that of a bare page."""
    page = visit("book/03_choosing_words.html").page
    beam = page.locator("[data-explorable=beam]")
    beam.scroll_into_view_if_needed()
    beam.get_by_role("combobox").select_option("2")
    beam.locator(".choice").get_by_text("6", exact=True).click()
    expect(beam.locator(".says")).to_contain_text("Width 6")
    right = "(node) => node.getBoundingClientRect().right"
    room = f"(chip) => ({right})(chip) - ({right})(chip.querySelector('.value'))"
    margins = beam.locator(".chip").evaluate_all(f"all => all.map({room})")
    assert min(margins) > 7  # pixels; 3 where a number is too long
