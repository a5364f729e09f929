"""Explorables that notebooks store: give them the code that the package has now.

A stored state holds the data of an explorable and a copy of its code. If only the code
has changed, the chapter need not run again.
"""

import argparse
import sys
from pathlib import Path

from lookback import explore, notebooks


def refreshed(text: str) -> str:
    """A notebook (JSON) whose explorables have the package's code and style."""
    nb = notebooks.read(text)
    stored = nb.metadata.get("widgets", {}).get(notebooks.WIDGET_STATE, {})
    for widget in stored.get("state", {}).values():
        kind = kinds().get(widget["state"].get("_anywidget_id"))
        if kind is not None:
            widget["state"] |= {"_esm": kind._esm, "_css": kind._css}
    return notebooks.normalise(notebooks.dump(nb))


def kinds() -> dict[str, type]:
    """The explorables by the names under which anywidget stores them."""
    found = (getattr(explore, name) for name in explore.__all__)
    return {f"{kind.__module__}.{kind.__name__}": kind for kind in found}


def main(arguments: list[str]) -> int:
    """`python -m lookback refresh PATH...`"""
    parser = argparse.ArgumentParser(
        "python -m lookback refresh",
        description="Give the stored explorables of notebooks their current code.",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    for path in parser.parse_args(arguments).paths:
        try:
            before = path.read_text(encoding="utf-8")
            after = refreshed(before)
        except (notebooks.NotebookError, OSError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 1
        if after != before:
            notebooks.replace(path, after)
            print(f"{path}: refreshed")
    return 0
