"""Beam search: go on with the `width` likeliest prefixes, all in one call of the model.

At each position every prefix of a sentence is continued with every symbol and the
likeliest `width` of these are kept. Those among them that end leave the beam; it fills
up again at the next position. So a beam of width 1 is the greedy decoder.

A beam wider than the vocabulary V is allowed. There are only V prefixes of one symbol
and V * V of two, so it fills up as fast as it can; with width >= V ** max_length nothing
is ever dropped.

References:
    1. Graves (2012), Sequence transduction with recurrent neural networks.
    2. Sutskever, Vinyals and Le (2014), Sequence to sequence learning with neural
       networks.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lookback.autoregressive import State, reorder
from lookback.decoding.hypotheses import Found, Node, Penalty, plain
from lookback.decoding.states import follow
from lookback.decoding.task import Task
from lookback.decoding.trail import Trail


@torch.no_grad()
def beam(model, context=None, *, width=5, batch=None, prefix=None, min_length=1,
         max_length=None, length_penalty: Penalty = plain, n_best=1,
         tree=False) -> list[Found]:  # fmt: skip
    """The best sequences that a beam of `width` prefixes finds.

    Args:
        context, batch, prefix, min_length, max_length: see `Task`.
        width: how many prefixes of each sentence are kept at each position.
        length_penalty: what the log-probability of a finished hypothesis is divided by,
            from its length: `plain` (1), `power(alpha)`, `gnmt(alpha)` or your own,
            which must be positive and never fall with length.
        n_best: how many hypotheses to return for each sentence, at most `width`.
        tree: also return the prefixes that were kept, and for each position the next
            `width` that were not.

    Returns:
        A list of `Found`, one a row of the batch, `best` in falling order of score. It
        is shorter than `n_best` where fewer sequences are possible. Finished hypotheses
        come first, whatever their score. A search never proves anything.

    Raises:
        ValueError: if the arguments contradict the model, or its logits are NaN.
    """
    task = Task(model, context, batch, prefix, min_length, max_length)
    check_width(width, n_best)
    search = Beam(task, width, length_penalty, n_best, tree)
    for t in range(task.given, task.max_length):
        search.advance(t)
        if search.over.all():
            break
    return search.results()


def check_width(width: int, n_best: int) -> None:
    """Raise a ValueError unless a beam of this width can give so many hypotheses."""
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    if not 1 <= n_best <= width:
        raise ValueError(f"n_best must lie in 1 .. {width} (width), got {n_best}")


@dataclass(frozen=True)
class Column:
    """What a beam saw at one position: k continuations of each of b sentences.

    Attributes:
        sentence: (b,) which of the B sentences they belong to.
        before: (b, w) log-probability of the live prefixes that they continue.
        parent: (b, k) what they continue: its number among all continuations so far,
            counted from 0 through one column after the other; -1 for the prefix.
        symbol: (b, k) what they add.
        total: (b, k) their log-probability, falling; the first `width` were kept.
    """

    sentence: Tensor
    before: Tensor
    parent: Tensor
    symbol: Tensor
    total: Tensor


class Beam:
    """A search under way: b sentences that are not over, w live prefixes of each.

    Attributes:
        total: (b, w) log-probability of the live prefixes; minus infinity where there
            are fewer.
        number: (b, w) their numbers among all continuations so far.
        previous: (b * w,) their last symbols, which the model has not heard yet.
        state: the model's state before that.
        given: (B,) log-probability of the prefixes that were given.
        begin: the state in which all searches began, for the same rows; what the model
            shares, for b of them.
        shape: (b, w).
        first: (b, 1) the first row of each sentence in the state.
        sentence: (b,) which of the B sentences they belong to.
        done: (B, n) scores of the best finished hypotheses, falling; minus infinity
            where there are fewer.
        end: (B, n) the numbers of these.
        over: (b,) whether no live prefix can win any more; False until `any_done`.
    """

    def __init__(self, task: Task, width: int, penalty: Penalty, n: int, tree: bool):
        self.task, self.width, self.penalty, self.tree = task, width, penalty, tree
        self.previous, self.state, total = task.read()
        self.given, self.begin, self.total = total, self.state, total[:, None]
        self.lay_out(self.total.shape)
        self.number = torch.full_like(self.total, -1, dtype=torch.long)
        self.sentence = torch.arange(task.batch, device=total.device)
        self.over = torch.zeros_like(total, dtype=torch.bool)
        self.done = total.new_full((task.batch, n), -torch.inf)
        self.end = self.number.expand(-1, n).clone()
        self.any_done = False
        self.columns: list[Column] = []
        self.seen = 0

    def advance(self, t: int) -> None:
        """Continue every live prefix with its symbol at position t."""
        scores, state = self.task.step(self.previous, self.state, t)  # (b * w, V)
        (b, w), V = self.shape, scores.shape[1]
        scores = scores.view(b, w, V).add_(self.total[:, :, None])
        wanted = 2 * self.width if self.tree else self.width
        total, place = scores.flatten(1).topk(min(wanted, w * V))  # (b, k)
        parent, symbol = place // V, place % V
        self.record(parent, symbol, total)
        parent, symbol = parent[:, : self.width], symbol[:, : self.width]
        self.finish(t, symbol)
        self.move(state, self.first + parent, symbol)

    def record(self, parent: Tensor, symbol: Tensor, total: Tensor) -> None:
        """Number the continuations (b, k) and keep the best of them."""
        origin = self.number.gather(1, parent)
        self.columns.append(Column(self.sentence, self.total, origin, symbol, total))
        number = torch.arange(self.seen, self.seen + total.numel(), device=total.device)
        self.seen += total.numel()
        self.number = number.view_as(total)[:, : self.width]
        self.total = total[:, : self.width]

    def finish(self, t: int, symbol: Tensor) -> None:
        """Take out of the beam what ended with its symbol (b, w) at position t."""
        ended = self.task.ends(symbol, t)
        if ended.any():
            score = (self.total / self.penalty(t + 1)).masked_fill(~ended, -torch.inf)
            score = torch.cat([self.done[self.sentence], score], 1)
            number = torch.cat([self.end[self.sentence], self.number], 1)
            best = score.topk(self.done.shape[1])
            self.done[self.sentence] = best.values
            self.end[self.sentence] = number.gather(1, best.indices)
            self.total = self.total.masked_fill(ended, -torch.inf)
            self.any_done = True
        if self.any_done:
            # A log-probability only falls and the longest has the largest divisor: this
            # is the best that a live prefix can become.
            hope = self.total.amax(1) / self.penalty(self.task.max_length)
            self.over = hope <= self.done[self.sentence, -1]
            self.total = self.total.masked_fill(self.over[:, None], -torch.inf)

    def move(self, state: State, row: Tensor, symbol: Tensor) -> None:
        """Give each kept continuation (b, w) the state in `row` of those before it."""
        # Leaving copies what the hypotheses of a sentence share: it waits for company.
        if self.any_done and 4 * int(self.over.sum()) >= len(self.over):
            row, symbol = self.leave(row, symbol)
        before, rows = self.begin, row.flatten()
        if row.shape != self.shape:
            self.begin = self.spread(row)
            self.lay_out(row.shape)
        self.state = follow(
            state, before, self.begin, lambda leaf: leaf.index_select(0, rows)
        )
        self.previous = symbol.flatten()

    def spread(self, row: Tensor) -> State:
        """The state of the beginning for other rows (b, w); what is shared for b."""
        shared = self.task.model.shared
        if not shared:
            return reorder(self.begin, row.flatten())
        sentence = row[:, 0] // self.shape[1]
        return {
            name: reorder(part, sentence if name in shared else row.flatten())
            for name, part in self.begin.items()
        }

    def lay_out(self, shape: tuple[int, int]) -> None:
        """Say how many sentences and prefixes of each the rows of the state are."""
        self.shape = b, w = shape
        self.first = torch.arange(0, b * w, w, device=self.total.device)[:, None]

    def leave(self, row: Tensor, symbol: Tensor) -> tuple[Tensor, Tensor]:
        """Forget the sentences that are over."""
        stay = ~self.over
        self.total, self.number = self.total[stay], self.number[stay]
        self.sentence, self.over = self.sentence[stay], self.over[stay]
        return row[stay], symbol[stay]

    def results(self) -> list[Found]:
        """The best hypotheses of each sentence, unfinished ones where too few ended."""
        trail, n = self.trail(), self.done.shape[1]
        found = possible(self.done, self.end)
        live = possible(self.total, self.number)
        for sentence, numbers in zip(self.sentence.tolist(), live, strict=True):
            found[sentence] += numbers
        if not all(found):
            raise self.task.impossible()
        visited = self.visited()
        return [
            Found.of(
                [trail.hypothesis(self.task, row, i, self.penalty) for i in numbers[:n]],
                visited=visited[row],
                tree=self.grow(trail, row) if self.tree else None,
            )
            for row, numbers in enumerate(found)
        ]

    def visited(self) -> list[int]:
        """How many prefixes of each sentence the model was asked to continue."""
        count = torch.zeros(self.task.batch, dtype=torch.long, device=self.done.device)
        for column in self.columns:
            live = (column.before > -torch.inf).sum(1)
            count.index_add_(0, column.sentence, live)
        return count.tolist()

    def trail(self) -> Trail:
        """All continuations so far, by number."""
        names = ("parent", "symbol", "total")
        parts = [[getattr(c, name).flatten() for c in self.columns] for name in names]
        return Trail(*(torch.cat(part).tolist() for part in parts))

    def grow(self, trail: Trail, row: int) -> tuple[Node, ...]:
        """The search tree of one sentence."""
        seen, first = [], 0
        for column in self.columns:
            b, k = column.symbol.shape
            place = (column.sentence == row).nonzero()[:, 0].tolist()
            seen += [(first + i * k + j, j < self.width) for i in place for j in range(k)]
            first += b * k
        possible = [(i, kept) for i, kept in seen if trail.log_prob[i] > -math.inf]
        return trail.tree(float(self.given[row]), possible)


def possible(scores: Tensor, numbers: Tensor) -> list[list[int]]:
    """The numbers (B, n), row by row, whose score is above minus infinity."""
    return [
        [number for score, number in zip(*pair, strict=True) if score > -math.inf]
        for pair in zip(scores.tolist(), numbers.tolist(), strict=True)
    ]
