"""The book's colours as CSS variables, on light and on dark paper."""

from matplotlib.colors import to_hex, to_rgb

from lookback.figures.style import CELLS, COLOURS, GRID, INK, MUTED, PAPER

LIGHT = {
    "paper": PAPER,
    "ink": INK,
    "muted": MUTED,
    "grid": GRID,
    "field": "#F4F6F8",
    "unseen": "#C9CFD6",
}
DARK = {
    "paper": "#14181E",
    "ink": "#E6EAEE",
    "muted": "#A3AEBB",
    "grid": "#333B45",
    "field": "#222831",
    "unseen": "#59636F",
}
# Where the page says it is dark: Jupyter Book, JupyterLab, VS Code, Colab.
SAYS_DARK = (
    "html[data-theme=dark]",
    "body[data-jp-theme-light=false]",
    "body.vscode-dark",
    "html[theme=dark]",
)
SAYS_NOTHING = "html:not([data-theme], [theme], :has(> body[data-jp-theme-light]))"


def colour_variables() -> str:
    """CSS that gives each colour of the book a variable, under `.explorable`.

    `--attention` paints shapes; `--attention-ink` is the same hue with a contrast of at
    least 4.5 : 1 to the paper and to the field of a control, for text and thin lines.
    """
    light, dark = _declarations(LIGHT, "#000000"), _declarations(DARK, "#FFFFFF")
    says_dark = ", ".join(f"{where} .explorable" for where in SAYS_DARK)
    return (
        f".explorable {{ color-scheme: light; {light} }}\n"
        f"{says_dark} {{ color-scheme: dark; {dark} }}\n"
        f"@media (prefers-color-scheme: dark) {{ {SAYS_NOTHING} .explorable "
        f"{{ color-scheme: dark; {dark} }} }}\n"
    )


def _declarations(base: dict[str, str], towards: str) -> str:
    hues = COLOURS | {name: look["color"] for name, look in CELLS.items()}
    shapes = {n: readable(c, base["paper"], towards, 3) for n, c in hues.items()}
    inks = {f"{n}-ink": readable(c, base["field"], towards, 4.6) for n, c in hues.items()}
    named = base | shapes | inks
    return " ".join(f"--{n.replace(' ', '-')}: {c};" for n, c in named.items())


def readable(colour: str, paper: str, towards: str, least: float) -> str:
    """The colour, mixed with `towards` until its contrast to the paper is `least`."""
    mixes = (_mix(colour, towards, share / 50) for share in range(51))
    return next(mix for mix in mixes if contrast(mix, paper) >= least)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21, as WCAG 2 defines it."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in to_rgb(colour)
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(to_rgb(colour), to_rgb(other), strict=True)
    return to_hex([(1 - share) * a + share * b for a, b in pairs])
