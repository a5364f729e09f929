"""One training loop for every model: maximum likelihood, teacher forced.

The loop runs alone, on a GPU when there is one, and unchanged under
`torchrun --nproc_per_node=N`: every process draws the same batch and takes its share,
and the gradients are summed, so N processes do what one would do.
"""

import contextlib
import math
import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from lookback.autoregressive import Autoregressive
from lookback.files import whole
from lookback.progress import bar

Batch = tuple[Tensor, Tensor | None]
SAVE_EVERY = 60.0  # seconds between two checkpoints


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read, or belongs to another training."""


@dataclass
class History:
    """What a training left: losses in nats a symbol, and the held-out curve.

    Attributes:
        loss: training loss of every step, nats a symbol.
        steps, held_out, times: one entry an evaluation: after how many steps, what
            `evaluate` gave, after how many seconds of training.
        seconds: training time, evaluation left out.
    """

    loss: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Settings:
    """How to train. A resumed training must have the same.

    Attributes:
        steps, seconds: the budget; whichever is used up first ends the training.
        rate: peak learning rate of AdamW; it warms up over `warmup` steps and falls
            along a cosine to zero at the end of the budget.
        decay: weight decay.  clip: largest norm of the gradient.
        average: weights are averaged with this memory (0.999 is about 1,000 steps); the
            averaged ones are evaluated and kept. 0 for none.
        every: steps between two evaluations; the end is always evaluated.
        bfloat16: compute the loss in 16 bits where that is safe (the weights have 32).
    """

    steps: int | None = None
    seconds: float | None = None
    rate: float = 2e-3
    warmup: int = 50
    decay: float = 0.0
    clip: float = 1.0
    average: float = 0.99
    every: int | None = None
    bfloat16: bool = False

    def __post_init__(self):
        given = {"steps": self.steps, "seconds": self.seconds}
        budget = {name: value for name, value in given.items() if value is not None}
        if not budget:
            raise ValueError("training needs a budget: give steps, seconds or both")
        for name, value in budget.items():
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be a number above 0, got {value}")

    def spent(self, step: int, seconds: float) -> float:
        """The share of the budget that is used up, 0 to 1 (and past it)."""
        by_steps = step / self.steps if self.steps else 0.0
        by_seconds = seconds / self.seconds if self.seconds else 0.0
        return max(by_steps, by_seconds)

    def learning_rate(self, step: int, seconds: float) -> float:
        """Linear warm-up, then half a cosine down to zero."""
        warm = min(1.0, (step + 1) / max(1, self.warmup))
        spent = min(1.0, self.spent(step, seconds))
        return self.rate * warm * 0.5 * (1 + math.cos(math.pi * spent))


def fit(
    model: Autoregressive,
    draw: Callable[[int], Batch],
    *,
    evaluate: Callable[[Autoregressive], float] | None = None,
    checkpoint: str | Path | None = None,
    description: str = "training",
    **settings,
) -> History:
    """Train `model` in place on the batches `draw(0)`, `draw(1)`, ...

    Args:
        draw: step -> (x, context); the same step must always give the same batch.
        evaluate: model -> held-out number, run every `every` steps and at the end.
        checkpoint: a file that is written about once a minute; if it exists, training
            goes on from it.
        settings: the fields of `Settings`; a budget is needed.

    Raises:
        CheckpointError: the checkpoint is damaged or of another training.
        FloatingPointError: the loss or its gradient is no longer finite; the model is
            what it had become before.
        WriteError: the checkpoint cannot be written; an older one is as it was.
    """
    with distributed() as (rank, world):
        run = Run(model, Settings(**settings), rank, world)
        if checkpoint is not None:
            run.resume(Path(checkpoint))
        try:
            run.train(draw, evaluate, checkpoint and Path(checkpoint), description)
        except (KeyboardInterrupt, FloatingPointError) as stop:
            stop.add_note(run.stopped(checkpoint))
            raise
        finally:
            run.keep()
    return run.history


@contextlib.contextmanager
def distributed():
    """Join the processes that torchrun started: (rank, world), (0, 1) when alone."""
    world = int(os.environ.get("WORLD_SIZE", 1))
    if world == 1 or dist.is_initialized():
        alone = (0, 1)
        yield (dist.get_rank(), world) if dist.is_initialized() else alone
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield dist.get_rank(), world
    finally:
        dist.destroy_process_group()


def device_for(rank: int) -> torch.device:
    """The GPU of this process, or the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", rank % torch.cuda.device_count())


class Run:
    """A training under way: weights, their average, the optimiser, the clock."""

    def __init__(self, model: Autoregressive, settings: Settings, rank=0, world=1):
        self.settings, self.rank, self.world = settings, rank, world
        self.device = device_for(rank)
        self.model = model.to(self.device).train()
        self.history, self.step = History(), 0
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=settings.rate, betas=(0.9, 0.99),
            weight_decay=settings.decay,
        )  # fmt: skip
        self.averaged = [p.detach().clone() for p in model.parameters()]

    def train(self, draw, evaluate, checkpoint, description: str) -> None:
        """Take steps until the budget is used up; evaluate and save on the way."""
        parallel = DistributedDataParallel(self.model) if self.world > 1 else self.model
        saved, quiet = time.monotonic(), self.rank > 0
        with bar(1.0, description, unit="budget") as progress:
            progress.disable = progress.disable or quiet
            while (spent := self.spent()) < 1:
                began = time.monotonic()
                loss = self.take_step(parallel, *draw(self.step))
                self.history.seconds += time.monotonic() - began
                progress.update(min(1.0, self.spent()) - spent)
                progress.set_postfix_str(f"{loss:.3f} nats a symbol", refresh=False)
                if self.settings.every and self.step % self.settings.every == 0:
                    self.measure(evaluate)
                if checkpoint and time.monotonic() - saved > SAVE_EVERY:
                    self.save(checkpoint)
                    saved = time.monotonic()
        if not self.history.steps or self.history.steps[-1] != self.step:
            self.measure(evaluate)
        if checkpoint:
            self.save(checkpoint)

    def keep(self) -> None:
        """Leave the averaged weights in the model, ready to be used."""
        self.swap()
        self.model.eval()

    def stopped(self, checkpoint) -> str:
        """What to know, and to do, when somebody has stopped the training."""
        if checkpoint and Path(checkpoint).exists():
            further = f"the same call goes on from the checkpoint {checkpoint}"
        else:
            further = "the same call starts from these weights, with a new budget"
        return (
            f"stopped after {self.step} steps: the model is what it had become; {further}"
        )

    def spent(self) -> float:
        """The share of the budget that is used up; the clock of rank 0 counts."""
        seconds = self.history.seconds
        if self.world > 1 and self.settings.seconds:
            clock = torch.tensor([seconds], dtype=torch.double, device=self.device)
            dist.broadcast(clock, 0)
            seconds = clock.item()
        return self.settings.spent(self.step, seconds)

    def take_step(self, parallel, x: Tensor, context: Tensor | None) -> float:
        """One update; returns the loss in nats a symbol."""
        rate = self.settings.learning_rate(self.step, self.history.seconds)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = self.loss(parallel, x, context)
        value = self.mean(loss.detach().clone())
        self.check_finite("loss", value)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = self.model.parameters()
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.settings.clip)
        self.check_finite("norm of the gradient", norm.item())
        self.optimiser.step()
        self.step += 1
        self.average()
        self.history.loss.append(value)
        return value

    def loss(self, parallel, x: Tensor, context: Tensor | None) -> Tensor:
        """Nats a symbol on this process's share of the batch, times the processes.

        The mean over processes, which is what the gradients are, is then the mean over
        all symbols of the batch, however they are shared out.
        """
        if len(x) < self.world:
            raise ValueError(
                f"a batch of {len(x)} cannot be shared by {self.world} processes"
            )
        symbols = x.numel() if self.model.pad is None else (x != self.model.pad).sum()
        mine = slice(self.rank, None, self.world)
        x = x[mine].to(self.device)
        context = None if context is None else context[mine].to(self.device)
        half = self.settings.bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            scores = parallel(x, context)
        return -scores.sum() * self.world / symbols

    def mean(self, loss: Tensor) -> float:
        """The loss averaged over the processes."""
        if self.world > 1:
            dist.all_reduce(loss)
            loss /= self.world
        return loss.item()

    def check_finite(self, name: str, value: float) -> None:
        """Raise a FloatingPointError before a number that is none reaches the weights."""
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the {name} is {value} at step {self.step + 1}: try a lower rate or clip"
            )

    def average(self) -> None:
        """Move the averaged weights towards the current ones; faster at the start."""
        memory = min(self.settings.average, (1 + self.step) / (10 + self.step))
        weights = [p.detach() for p in self.model.parameters()]
        torch._foreach_lerp_(self.averaged, weights, 1 - memory)

    def swap(self) -> None:
        """Exchange the current weights with the averaged ones."""
        with torch.no_grad():
            for mine, mean in zip(self.model.parameters(), self.averaged, strict=True):
                kept = mine.clone()
                mine.copy_(mean)
                mean.copy_(kept)

    def measure(self, evaluate) -> None:
        """Evaluate the averaged weights on held-out data."""
        if evaluate is None:
            return
        self.swap()
        self.model.eval()
        try:
            with torch.no_grad():
                value = float(evaluate(self.model))
        finally:
            self.model.train()
            self.swap()
        self.history.steps.append(self.step)
        self.history.held_out.append(value)
        self.history.times.append(round(self.history.seconds, 2))

    def identity(self) -> dict:
        """What must be the same for a training to go on from a checkpoint."""
        return {
            "model": type(self.model).__name__,
            "config": self.model.config,
            "settings": vars(self.settings),
        }

    def save(self, path: Path) -> None:
        """Write the checkpoint; a stop leaves the old one whole."""
        if self.rank > 0:
            return
        state = {
            "identity": self.identity(),
            "model": self.model.state_dict(),
            "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "step": self.step,
            "history": vars(self.history),
        }
        with whole(path, RuntimeError) as aside:  # torch's word for a full disk
            torch.save(state, aside)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one."""
        if not path.exists():
            return
        state = self.read(path)
        if state["identity"] != self.identity():
            raise CheckpointError(
                f"{path} is a checkpoint of another training: it holds "
                f"{state['identity']}, this is {self.identity()}; "
                "delete the file to start anew, or name another one"
            )
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.averaged = [mean.to(self.device) for mean in state["averaged"]]
        torch.set_rng_state(state["random"].cpu())
        self.step, self.history = state["step"], History(**state["history"])

    def read(self, path: Path) -> dict:
        """The content of a checkpoint file."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
            raise CheckpointError(
                f"{path} cannot be read as a checkpoint ({type(error).__name__}); "
                "it may be damaged: delete it to start anew"
            ) from error
        if not isinstance(state, dict) or "identity" not in state:
            raise CheckpointError(
                f"{path} is not a checkpoint of lookback.training: delete it or name "
                "another file"
            )
        return state
