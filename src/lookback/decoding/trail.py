"""What a search has looked at, and how to read a hypothesis or a tree back from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lookback.decoding.hypotheses import Hypothesis, Node, Penalty
from lookback.decoding.task import Task


@dataclass
class Trail:
    """Prefixes by number; each is its parent with one symbol more.

    Attributes:
        parent: number of the prefix continued; -1 for the one that was given.
        symbol: what was added.
        log_prob: of the whole prefix, nats.
    """

    parent: list[int] = field(default_factory=list)
    symbol: list[int] = field(default_factory=list)
    log_prob: list[float] = field(default_factory=list)

    def add(self, parent: int, symbol: int, log_prob: float) -> int:
        """Write down one more prefix and give its number."""
        self.parent.append(parent)
        self.symbol.append(symbol)
        self.log_prob.append(log_prob)
        return len(self.parent) - 1

    def tokens(self, number: int) -> list[int]:
        """The symbols from the root to a prefix."""
        symbols = []
        while number >= 0:
            symbols.append(self.symbol[number])
            number = self.parent[number]
        return symbols[::-1]

    def hypothesis(self, task: Task, row: int, number: int, penalty: Penalty):
        """The `Hypothesis` that a prefix of one row of the batch is."""
        given = [] if task.prefix is None else task.prefix[row].tolist()
        tokens = given + self.tokens(number)
        return Hypothesis(
            tuple(tokens), self.log_prob[number], task.finished(tokens),
            penalty(len(tokens)),
        )  # fmt: skip

    def tree(self, root: float, seen: Iterable[tuple[int, bool]]) -> tuple[Node, ...]:
        """The tree of some prefixes.

        Args:
            root: log-probability of what was given, nats.
            seen: prefixes by number, parents before children, each with whether the
                search kept it.
        """
        place, nodes = {-1: 0}, [Node(-1, None, root, True)]
        for number, kept in seen:
            place[number] = len(nodes)
            parent = place[self.parent[number]]
            nodes.append(Node(parent, self.symbol[number], self.log_prob[number], kept))
        return tuple(nodes)
