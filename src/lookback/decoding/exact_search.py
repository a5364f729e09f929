"""Exact search: the likeliest sequence of all, by branch and bound.

A log-probability only falls as a prefix grows. So a prefix that is already no better
than the best finished hypothesis can be cut with all that would follow. Prefixes are
continued best first; the number of those that may be visited is bounded, and where the
bound is hit the answer says so.

With a length penalty the bound divides by the largest divisor, that of `max_length`:
right, but loose, so many more prefixes are visited.

References:
    1. Land and Doig (1960), An automatic method of solving discrete programming problems.
    2. Stahlberg and Byrne (2019), On NMT search errors and model errors: cat got your
       tongue? (the same search, depth first.)
"""

import heapq
import math

import torch
from torch import Tensor

from lookback.autoregressive import State
from lookback.decoding.beam_search import beam
from lookback.decoding.hypotheses import Found, Hypothesis, Penalty, plain
from lookback.decoding.states import follow, gather, widen
from lookback.decoding.task import Task
from lookback.decoding.trail import Trail

TOGETHER = 32  # prefixes continued in one call of the model; more waste more at the end


@torch.no_grad()
def exact(model, context=None, *, batch=None, prefix=None, min_length=1,
          max_length=None, length_penalty: Penalty = plain, max_visited=10_000,
          tree=False) -> list[Found]:  # fmt: skip
    """The best sequence of all within the lengths allowed, or the best found.

    A beam of width 5 gives the first hypothesis to beat, so the answer is never worse.

    Args:
        context, batch, prefix, min_length, max_length: see `Task`.
        length_penalty: as in `beam`.
        max_visited: for each sentence, how many prefixes may be continued at most.
        tree: also return the prefixes that were visited, and those that waited.

    Returns:
        A list of `Found`, one a row of the batch. `proved` is False where `max_visited`
        was reached before every other prefix could be cut; a better sequence may exist.

    Raises:
        ValueError: if the arguments contradict the model, or its logits are NaN.
    """
    if max_visited < 1:
        raise ValueError(f"max_visited must be at least 1, got {max_visited}")
    task = Task(model, context, batch, prefix, min_length, max_length)
    first = beam(
        model, context, batch=batch, prefix=prefix, min_length=min_length,
        max_length=max_length, length_penalty=length_penalty,
    )  # fmt: skip
    found = []
    for row, known in enumerate(h.best[0] for h in first):
        search = BranchAndBound(task.only(row), length_penalty, known, max_visited)
        search.run()
        found.append(search.result(tree))
    return found


class BranchAndBound:
    """A search for the best continuation of one sentence.

    Attributes:
        best: the best hypothesis so far.
        waiting: for each length a heap of prefixes, (bound negated, number).
        memory: for each prefix that waits, the state its parent left and the row in it.
        trail: all prefixes that waited or won, by number.
    """

    def __init__(self, task: Task, penalty: Penalty, best: Hypothesis, max_visited: int):
        self.task, self.penalty, self.best = task, penalty, best
        self.largest = penalty(task.max_length)
        self.last, self.start, total = task.read()
        self.root = float(total)
        self.trail, self.visited, self.max_visited = Trail(), 0, max_visited
        self.waiting = {task.given: [(-self.root / self.largest, -1)]}
        self.memory = {-1: (self.start, 0)}

    def run(self) -> None:
        """Continue the most hopeful prefixes until none can win or no visit is left."""
        while self.visited < self.max_visited and (group := self.pop()):
            self.expand(*group)

    def hopeful(self) -> int | None:
        """The length of the most hopeful prefix; None where none can win."""
        heads = [(heap[0][0], t) for t, heap in self.waiting.items() if heap]
        bound, t = min(heads, default=(math.inf, None))
        return t if self.can_win(-bound) else None

    def can_win(self, bound: float) -> bool:
        """Whether a prefix that can become no better than `bound` can still win."""
        return not self.best.finished or bound > self.best.score

    def pop(self) -> tuple[int, list[int]] | None:
        """Some prefixes of one length, the most hopeful among them; None if none can win.

        They have one length since a state may grow with it.
        """
        t = self.hopeful()
        if t is None:
            return None
        heap, group = self.waiting[t], []
        room = min(TOGETHER, self.max_visited - self.visited)
        while heap and len(group) < room and self.can_win(-heap[0][0]):
            group.append(heapq.heappop(heap)[1])
        return t, group

    def expand(self, t: int, numbers: list[int]) -> None:
        """Continue these prefixes, all of t symbols, with every symbol."""
        wide = widen(self.start, len(numbers))
        states, rows = zip(*(self.memory.pop(i) for i in numbers), strict=True)
        state = gather(states, rows, self.start, wide)
        scores, state = self.task.step(self.symbols(numbers), state, t)  # (N, V)
        state = follow(state, wide, self.start, lambda leaf: leaf)
        self.visited += len(numbers)
        before = scores.new_tensor([self.log_prob(i) for i in numbers])
        total = scores + before[:, None]
        eos = self.task.model.eos
        if eos is not None:
            ended = torch.full_like(total, -torch.inf)
            ended[:, eos] = total[:, eos]
            self.offer(numbers, ended)
            total[:, eos] = -torch.inf
        if t + 1 == self.task.max_length:
            self.offer(numbers, total)
        else:
            self.wait(t + 1, numbers, total, state)

    def offer(self, numbers: list[int], total: Tensor) -> None:
        """Take the best of some complete sequences (N, V) if it is the best so far."""
        value, place = total.flatten().max(0)
        if value == -torch.inf:
            return
        row, symbol = divmod(int(place), total.shape[1])
        number = self.trail.add(numbers[row], symbol, float(value))
        hypothesis = self.trail.hypothesis(self.task, 0, number, self.penalty)
        if hypothesis.rank > self.best.rank:
            self.best = hypothesis

    def wait(self, t: int, numbers: list[int], total: Tensor, state: State) -> None:
        """Let those of the continuations (N, V) wait that can still win."""
        least = self.best.score * self.largest if self.best.finished else -math.inf
        rows, symbols = (total > least).nonzero(as_tuple=True)
        heap = self.waiting.setdefault(t, [])
        children = zip(
            rows.tolist(), symbols.tolist(), total[rows, symbols].tolist(), strict=True
        )
        for row, symbol, value in children:
            number = self.trail.add(numbers[row], symbol, value)
            self.memory[number] = state, row
            heapq.heappush(heap, (-value / self.largest, number))

    def symbols(self, numbers: list[int]) -> Tensor | None:
        """The last symbols of some prefixes of one length."""
        if numbers == [-1]:
            return self.last
        device = next(self.task.model.parameters()).device
        return torch.tensor([self.trail.symbol[i] for i in numbers], device=device)

    def log_prob(self, number: int) -> float:
        """The log-probability of a prefix, nats."""
        return self.root if number < 0 else self.trail.log_prob[number]

    def result(self, tree: bool) -> Found:
        """The best hypothesis, and whether it was proved to be the best of all."""
        visited = [(i, i not in self.memory) for i in range(len(self.trail.parent))]
        return Found.of(
            [self.best],
            visited=self.visited,
            proved=self.hopeful() is None,
            tree=self.trail.tree(self.root, visited) if tree else None,
        )
