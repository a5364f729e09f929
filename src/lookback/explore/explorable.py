"""What every explorable is: an anywidget that brings its code, its style and a picture.

The browser gets one self-contained module. `bundle` makes it from `NAME.mjs` and the
modules beside it that it imports, which stay ordinary modules that node can test.
"""

import base64
import importlib.util
import re
from pathlib import Path
from typing import ClassVar

import anywidget

from lookback import zoo
from lookback.explore.theme import colour_variables
from lookback.figures import Picture

IMPORT = re.compile(r'(?ms)^import \{([^}]*)\} from "\./(\w+)\.mjs";\n')
EXPORT = re.compile(r"(?m)^export (?=(async function|function|const|class)\b)")


def bundle(path: Path) -> str:
    """A module and the modules beside it that it imports, as one module's text.

    All top-level names share one scope, so they must differ from file to file. Imports
    have the form `import { name } from "./module.mjs";` and start a line.

    Raises:
        ValueError: an import that has another form.
    """
    parts = [_plain(module) for module in _in_order(path, [])]
    return "\n".join(parts)


def _in_order(path: Path, seen: list[Path]) -> list[Path]:
    """`seen`, then what `path` needs and has not been seen, then `path`."""
    for _, name in IMPORT.findall(path.read_text("utf-8")):
        if (needed := path.with_name(f"{name}.mjs")) not in seen:
            seen = _in_order(needed, seen)
    return [*seen, path]


def _plain(path: Path) -> str:
    """A module's text without its imports; of its exports the default is left."""
    text = EXPORT.sub("", IMPORT.sub("", path.read_text("utf-8")))
    if re.search(r"(?m)^(import|export (?!default))", text):
        raise ValueError(
            f'{path.name} has an import or export that is not `import {{ name }} from "./'
            'module.mjs";` or `export function`, `const`, `class`: write it so'
        )
    return text


def style(path: Path) -> str:
    """The colours and what all explorables share, then `path` if there is such a file."""
    shared = path.with_name("explore.css").read_text("utf-8")
    own = path.read_text("utf-8") if path.exists() else ""
    return colour_variables() + shared + own


class Explorable(anywidget.AnyWidget):
    """A figure that answers, alive in the page, in Jupyter and in Colab.

    A subclass lives in `NAME.py` beside `NAME.mjs` and, if it needs one, `NAME.css`. Its
    data are traits with `sync=True`.
    It writes `picture`, which stands where no JavaScript runs, and lists in `assets` the
    weights that it asks for by name (see `weights.mjs`).
    """

    assets: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs):
        if not hasattr(cls, "_esm"):  # ipywidgets makes subclasses that have it
            source = Path(importlib.util.find_spec(cls.__module__).origin)
            cls._esm = bundle(source.with_suffix(".mjs"))
            cls._css = style(source.with_suffix(".css"))
        super().__init_subclass__(**kwargs)

    def __init__(self, **traits):
        super().__init__(**traits)
        self.on_msg(self._answer)

    def picture(self) -> Picture:
        """What is shown where no JavaScript runs: the explorable as it begins."""
        raise NotImplementedError(f"{type(self).__name__} has no picture: write one")

    @classmethod
    def shipped(cls, name: str) -> bytes:
        """The bytes of one of `assets` as the built book has them: a model of the zoo."""
        return zoo.find(name).read_bytes()

    def asset(self, name: str) -> bytes:
        """The bytes of one of `assets`; override it to give a learner's own model."""
        return self.shipped(name)

    def _answer(self, widget, content, buffers) -> None:
        """Send the asset that the browser asks for."""
        name = content.get("asset")
        if name in self.assets:
            self.send({"asset": name}, buffers=[self.asset(name)])
        else:
            self.send({"asset": name, "error": f"there is no asset {name!r}"})

    def __repr__(self) -> str:
        return f"<explorable {type(self).__name__}>"

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        png = base64.b64encode(self.picture()._repr_png_()).decode()
        return data | {"image/png": png}, metadata
