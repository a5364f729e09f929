"""Trained models: weights as safetensors, each with a card that says what it cost.

`load("NAME")` gives a model that ships with the package, `card("NAME")` its card;
`python -m lookback train NAME` makes both again.
"""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_bytes
from safetensors.torch import save_file

from lookback.autoregressive import Autoregressive
from lookback.files import whole
from lookback.models import CLASSES

WEIGHTS = Path(__file__).parent / "weights"


class WeightsError(RuntimeError):
    """A weight file is missing, damaged, or of a model that has changed since."""


def names() -> list[str]:
    """The models that ship with the package."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


def load(name: str | Path) -> Autoregressive:
    """A trained model, on the CPU, ready to evaluate.

    Args:
        name: a shipped model (one of `names()`) or the path of a .safetensors file.

    Raises:
        WeightsError: no such model, a damaged file, or a file of another version.
    """
    path = find(name)
    try:
        with safe_open(path, framework="pt") as file:
            described = file.metadata() or {}
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise WeightsError(
            f"{path.name} is damaged ({error}): install the package again, "
            f"or train it with `python -m lookback train {path.stem}`"
        ) from error
    return rebuild(described, tensors, path).eval()


def find(name: str | Path) -> Path:
    """The weight file of a shipped model, or the file that was named."""
    path = Path(name)
    if path.suffix != ".safetensors":
        path = WEIGHTS / f"{name}.safetensors"
    if not path.exists():
        raise WeightsError(
            f"no weights for {str(name)!r}: shipped are {', '.join(names()) or 'none'}; "
            "or give the path of a .safetensors file"
        )
    return path


def rebuild(described: dict, tensors: dict, path: Path) -> Autoregressive:
    """The model that a weight file describes, with its weights."""
    if described.get("class") not in CLASSES:
        raise WeightsError(
            f"{path.name} holds a {described.get('class')!r}, which this version does "
            f"not know (it knows {', '.join(CLASSES)}): install the version that wrote it"
        )
    try:
        model = CLASSES[described["class"]](**json.loads(described["config"]))
        model.load_state_dict(tensors)
    except (TypeError, RuntimeError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{path.name} does not fit this version of {described['class']} ({error}): "
            f"train it again with `python -m lookback train {path.stem}`"
        ) from error
    return model


def save(model: Autoregressive, path: str | Path, half: bool = False) -> None:
    """Write a model's weights and what is needed to build it again.

    Args:
        half: keep 16-bit floats: half the size, about three digits.

    Raises:
        WriteError: the file cannot be written; an older one is as it was.
    """
    path = Path(path)
    tensors, described = contents(model, half)
    with whole(path, SafetensorError) as aside:
        save_file(tensors, aside, metadata=described)


def packed(model: Autoregressive, half: bool = False) -> bytes:
    """The bytes of a file such as `save` writes."""
    tensors, described = contents(model, half)
    return save_bytes(tensors, metadata=described)


def contents(model: Autoregressive, half: bool) -> tuple[dict, dict]:
    """What a weight file holds: tensors, and what is needed to build the model."""
    tensors = {
        name: (tensor.half() if half else tensor).detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
    return tensors, {"class": type(model).__name__, "config": json.dumps(model.config)}


def card(name: str) -> dict:
    """The card of a shipped model: parameters, data, seconds, seed, curve, result."""
    return json.loads(find(name).with_suffix(".json").read_text(encoding="utf-8"))
