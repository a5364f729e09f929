"""`python -m lookback train NAME`: make a shipped model again, weights and card.

`torchrun --nproc_per_node=2 -m lookback train NAME` does the same on two processes.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import torch

from lookback import training, zoo
from lookback.autoregressive import Autoregressive
from lookback.files import whole
from lookback.training import History
from lookback.zoo.recipe import Recipe, Task
from lookback.zoo.recipes import RECIPES


def main(arguments: list[str]) -> int:
    """Train one model, or say which there are; 130 if it was stopped by Ctrl-C."""
    parser = argparse.ArgumentParser("python -m lookback train", description=__doc__)
    parser.add_argument("name", choices=sorted(RECIPES), metavar="NAME",
                        help=", ".join(sorted(RECIPES)))  # fmt: skip
    parser.add_argument("--seconds", type=float, help="another budget than the recipe's")
    parser.add_argument("--steps", type=int, help="a budget in steps, instead")
    parser.add_argument("--output", type=Path, default=zoo.WEIGHTS, metavar="FOLDER")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    parser.add_argument("--json", action="store_true",
                        help="print the card, in a list as all commands do")  # fmt: skip
    given = parser.parse_args(arguments)
    settings = budget(RECIPES[given.name], given.seconds, given.steps)
    try:
        training.Settings(**settings)
    except ValueError as error:
        parser.error(str(error))
    try:
        made = train(given.name, settings, given.output, given.checkpoints)
    except KeyboardInterrupt:
        print(f"\n{stopped(given.checkpoints / f'{given.name}.pt')}", file=sys.stderr)
        return 130
    if made:  # one process of several writes, and speaks
        said = [made] if given.json else made["results"]
        print(json.dumps(said, ensure_ascii=False, indent=1 if given.json else None))
    return 0


def stopped(checkpoint: Path) -> str:
    """What a training that was stopped has left."""
    if not checkpoint.exists():
        return "stopped before the first checkpoint: nothing was written"
    return f"stopped: the same command goes on from the checkpoint {checkpoint}"


def budget(recipe: Recipe, seconds: float | None, steps: int | None) -> dict:
    """The recipe's settings, with another budget if one is given."""
    if seconds is None and steps is None:
        return dict(recipe.settings)
    return {**recipe.settings, "seconds": seconds, "steps": steps}


def train(name: str, settings: dict, output: Path, checkpoints: Path) -> dict:
    """Train a recipe; write `NAME.safetensors` and `NAME.json`; return the card.

    Both are written at the end, so that weights never stand beside another's card.
    """
    recipe = RECIPES[name]
    torch.manual_seed(recipe.seed)
    model, task = recipe.build(), recipe.task()
    history = training.fit(
        model, task.draw, evaluate=task.evaluate, description=name,
        checkpoint=checkpoints / f"{name}.pt", **settings,
    )  # fmt: skip
    if int(os.environ.get("RANK", 0)) > 0:
        return {}
    weights = f"{name}.safetensors"
    with tempfile.TemporaryDirectory() as folder:
        zoo.save(model, Path(folder) / weights, half=True)
        shipped = zoo.load(Path(folder) / weights)
    made = describe(name, shipped, task, history, settings)
    with whole(output / f"{name}.json") as card:
        card.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
        zoo.save(model, output / weights, half=True)
    return made


def describe(name: str, model: Autoregressive, task: Task, history: History,
             settings: dict) -> dict:  # fmt: skip
    """The card of a trained model; its results are of the weights as they ship."""
    return {
        "name": name,
        "class": type(model).__name__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "data": task.data,
        "settings": settings,
        "seed": RECIPES[name].seed,
        "steps": len(history.loss),
        "train_seconds": round(history.seconds, 1),
        "device": training.device_for(0).type,
        "threads": torch.get_num_threads() * int(os.environ.get("WORLD_SIZE", 1)),
        "machine": platform.machine(),
        "torch": torch.__version__,
        "curve": {
            "steps": history.steps,
            "seconds": history.times,
            "nats": [round(value, 3) for value in history.held_out],
        },
        "results": task.measure(model),
        "command": f"python -m lookback train {name}",
    }
