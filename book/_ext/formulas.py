"""Formulas as MathML, which browsers draw by themselves.

No script has to come and run before a formula can be read, on paper and without
JavaScript it is there as well, and screen readers know what it says.

latex2mathml translates; the spaces that TeX would set, and browsers do not, are set here.
"""

import xml.etree.ElementTree as ET

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

SPACE = "http://www.w3.org/1998/Math/MathML"
SCRIPTS = ("msub", "msup", "msubsup", "munder", "mover", "munderover")
TIGHT = {"lspace": "0", "rspace": "0"}
CLOSING = ")]}⟩‖′"
PRIME, NORM = "′", "‖"


def mathml(latex: str, display: str) -> str:
    """A formula in LaTeX as MathML. Raises ValueError for a command that is not known."""
    made = convert(latex, display=display).replace(f' xmlns="{SPACE}"', "")
    if "\\" in made:
        raise ValueError(f"{latex!r} has a command that MathML does not get: {made}")
    root = ET.fromstring(made)
    for element in [*root.iter()]:
        prime(element)
        operator(element)
    for element in [*root.iter()]:
        tighten_scripts(element)
        space_out(element)
    return ET.tostring(root, encoding="unicode")


def prime(element) -> None:
    """x' as x and a prime beside it: the sign stands high already."""
    if element.tag not in ("msup", "msubsup") or element[-1].text != PRIME:
        return
    base, mark = element[0], ET.Element("mo", TIGHT)
    mark.text = PRIME
    element.remove(element[-1])
    element.remove(base)
    element.insert(0, ET.Element("mrow"))
    element[0].extend([base, mark])
    element.tag = "msub" if len(element) == 2 else "mrow"


def operator(element) -> None:
    """Names such as min are names; a slash and the bars of a norm take no room."""
    if element.tag == "mo" and (element.text or "").isalpha():
        element.tag = "mi"
    if element.tag == "mo" and element.text in ("/", NORM):
        element.attrib.update(TIGHT, stretchy="false")


def tighten_scripts(element) -> None:
    """In a subscript or above a sum there are no spaces around operators."""
    if element.tag in SCRIPTS:
        for sign in (sign for part in element[1:] for sign in part.iter("mo")):
            sign.attrib.update(TIGHT)


def space_out(element) -> None:
    """A thin space beside the name of a function; a sign close to its number."""
    if element.tag not in ("math", "mrow"):
        return
    before = None
    for part in [*element]:
        if is_sign(part) and (before is None or is_open(before)):
            part.attrib.update(TIGHT, form="prefix")
        if before is not None and touch(before, part):
            thin(element, part)
        if part.tag != "mspace" or not (before is not None and is_open(before)):
            before = part  # a space after an opening bracket changes nothing


def touch(one, two) -> bool:
    """Whether a name of a function and what is beside it would run into each other."""
    spaced = {one.tag, two.tag} & {"mo", "mspace"}
    return not spaced and (is_name(one) or is_name(two))


def thin(element, part) -> None:
    """Put a thin space before a part."""
    element.insert([*element].index(part), ET.Element("mspace", width="0.167em"))


def is_name(part) -> bool:
    """Whether this is the name of a function, perhaps with an index."""
    part = part[0] if part.tag in SCRIPTS else part
    return part.tag == "mi" and len(part.text or "") > 1


def is_sign(part) -> bool:
    return part.tag == "mo" and part.text in ("−", "-", "+")


def is_open(part) -> bool:
    return part.tag == "mo" and part.text not in CLOSING


def shown(self, node, display: str) -> str:
    """A formula, or its LaTeX and a warning."""
    try:
        return mathml(node.astext(), display)
    except ValueError as error:
        logging.getLogger(__name__).warning("%s", error, location=node)
        return f"<code>{self.encode(node.astext())}</code>"


def inline(self, node):
    self.body.append(f'<span class="math">{shown(self, node, "inline")}</span>')
    raise nodes.SkipNode


def block(self, node):
    made = shown(self, node, "block")
    self.body.append(f'<div class="math" tabindex="0">{made}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
