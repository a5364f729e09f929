"""One symbol after the other: the likeliest, or one drawn at random.

References:
    1. Fan, Lewis and Dauphin (2018), Hierarchical neural story generation (top-k).
    2. Holtzman et al. (2020), The curious case of neural text degeneration (nucleus).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from lookback.decoding.hypotheses import Hypothesis
from lookback.decoding.task import Task


def greedy(model, context=None, *, batch=None, prefix=None, min_length=1,
           max_length=None) -> list[Hypothesis]:  # fmt: skip
    """The likeliest symbol each time.

    Args:
        context, batch, prefix, min_length, max_length: see `Task`.

    Returns:
        A list of `Hypothesis`, one a row of the batch.

    Raises:
        ValueError: if the arguments contradict the model, or its logits are NaN.
    """
    task = Task(model, context, batch, prefix, min_length, max_length)
    return generate(task, lambda scores: scores.argmax(-1))


def sample(model, context=None, *, batch=None, prefix=None, min_length=1,
           max_length=None, temperature=1.0, top_k=None, top_p=None,
           seed=None) -> list[Hypothesis]:  # fmt: skip
    """Draw each symbol at random, as likely as the model says.

    Args:
        context, batch, prefix, min_length, max_length: see `Task`.
        temperature: divides the logits, first; below 1 the likely becomes likelier.
        top_k: only the k likeliest symbols are drawn.
        top_p: of what is left, only the nucleus is drawn: the fewest symbols that have
            this probability together.
        seed: of a generator of its own; None draws from torch's.

    Returns:
        A list of `Hypothesis`, one a row of the batch.

    Raises:
        ValueError: if an argument is out of range or contradicts the model, or the
            model's logits are NaN.
    """
    task = Task(model, context, batch, prefix, min_length, max_length)
    check_sampling(temperature, top_k, top_p, model.vocabulary)
    generator = None
    if seed is not None:
        device = next(model.parameters()).device
        generator = torch.Generator(device).manual_seed(seed)

    def draw(scores: Tensor) -> Tensor:
        scores = keep_nucleus(keep_top(scores / temperature, top_k), top_p)
        drawn = torch.multinomial(scores.softmax(-1), 1, generator=generator)
        return drawn[:, 0]

    return generate(task, draw)


def check_sampling(temperature: float, top_k, top_p, vocabulary: int) -> None:
    """Raise a ValueError unless the sampling options are in range."""
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature must be positive, got {temperature}; use greedy")
    if top_k is not None and not 1 <= top_k <= vocabulary:
        raise ValueError(f"top_k must lie in 1 .. {vocabulary}, got {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must lie above 0 and up to 1, got {top_p}")


def keep_top(scores: Tensor, k: int | None) -> Tensor:
    """Scores (B, V) with all but the k largest of each row at minus infinity."""
    if k is None:
        return scores
    best = scores.topk(k)
    return torch.full_like(scores, -torch.inf).scatter(1, best.indices, best.values)


def keep_nucleus(scores: Tensor, p: float | None) -> Tensor:
    """Scores (B, V) with all outside the nucleus of each row at minus infinity."""
    if p is None:
        return scores
    ordered, place = scores.sort(descending=True)
    probability = ordered.softmax(-1)
    before = probability.cumsum(-1) - probability  # what the likelier ones have
    return scores.scatter(1, place, ordered.masked_fill(before >= p, -torch.inf))


@torch.no_grad()
def generate(task: Task, choose: Callable[[Tensor], Tensor]) -> list[Hypothesis]:
    """Write all rows at once; `choose` takes log-probabilities (B, V) to (B,)."""
    model = task.model
    previous, state, total = task.read()
    chosen = [] if task.prefix is None else [task.prefix.to(total.device)]
    alive = torch.ones_like(total, dtype=torch.bool)
    for t in range(task.given, task.max_length):
        scores, state = task.step(previous, state, t)
        task.check_possible(scores.amax(1))
        symbol = choose(scores)
        gained = scores.gather(1, symbol[:, None])[:, 0]
        total = torch.where(alive, total + gained, total)
        # An ended row goes on, unheard, until all have ended.
        previous = symbol if model.pad is None else symbol.where(alive, model.pad)
        chosen.append(previous[:, None])
        if model.eos is not None:
            alive = alive & (symbol != model.eos)
            if not alive.any():
                break
    rows = torch.cat(chosen, 1).tolist()
    return [hypothesis(task, r, p) for r, p in zip(rows, total.tolist(), strict=True)]


def hypothesis(task: Task, tokens: list[int], log_prob: float) -> Hypothesis:
    """One row of symbols, cut after its end of sequence."""
    finished = task.finished(tokens)
    if finished and task.model.eos is not None:
        tokens = tokens[: tokens.index(task.model.eos) + 1]
    return Hypothesis(tuple(tokens), log_prob, finished)
