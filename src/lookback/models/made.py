"""Wired directly: MADE, a masked autoencoder.

Each pair of positions has a weight of its own. Every unit of a hidden layer has a degree
m: it may look at the first m symbols, through units of a degree up to m. The output at
position t looks at units of a degree up to t. The masks that this makes are multiplied
with the weights, and one pass through an ordinary network scores all positions.

Sampling adds to sums: a symbol that has been drawn is added to the sums of the units that
may see it, and units whose symbols are now complete are added to those of the next layer.

Any order of the symbols will do: no weight knows of neighbours, so another order is
another order of the sequences, `x[:, order]`.

Differences from the paper: the hidden units' degrees are spread evenly, not drawn, in
the first set of masks; outputs give V - 1 scores, the first symbol's being 0, so two
values need one.

References:
    1. Germain, Gregor, Murray and Larochelle (2015), MADE: masked autoencoder for
       distribution estimation.
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lookback.autoregressive import Autoregressive, check_symbols


def degrees(length: int, hidden: int, seed: int | None = None) -> Tensor:
    """How many symbols each hidden unit (H,) may look at, 1 .. length - 1.

    Spread evenly and in order, or drawn where there is a seed.
    """
    if seed is None:
        return torch.arange(hidden) * (length - 1) // hidden + 1
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, length, (hidden,), generator=generator)


class MaskedLinear(nn.Linear):
    """A linear map some of whose weights are masked out: (B, I) -> (B, O)."""

    def __init__(self, inputs: int, outputs: int, fan_in: float | None = None):
        super().__init__(inputs, outputs)
        nn.init.zeros_(self.bias)
        if fan_in is None:
            nn.init.zeros_(self.weight)
        else:
            nn.init.normal_(self.weight, std=(2 / fan_in) ** 0.5)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return F.linear(x, self.weight * mask, self.bias)


class MADE(Autoregressive):
    """Masked hidden layers and a direct connection.

    Args:
        vocabulary: V, the number of values of a symbol; they enter as 0 .. 1.
        length: T.  hidden: units of a layer.  layers: hidden layers, at least one.
        direct: also wire each output to all earlier symbols.
        connectivity: sets of masks; more than one makes training agnostic of them.
    """

    def __init__(self, vocabulary: int = 2, *, length=784, hidden=500, layers=1,
                 direct=True, connectivity=1):  # fmt: skip
        config = {
            "hidden": hidden, "layers": layers, "direct": direct,
            "connectivity": connectivity,
        }  # fmt: skip
        super().__init__(vocabulary, length=length, **config)
        sizes = [length, *[hidden] * layers]
        self.hidden = nn.ModuleList(
            MaskedLinear(inputs, outputs, fan_in=inputs / 2)
            for inputs, outputs in itertools.pairwise(sizes)
        )
        self.out = MaskedLinear(hidden, length * (vocabulary - 1))
        self.direct = MaskedLinear(length, length * (vocabulary - 1)) if direct else None
        before = torch.ones(length, length, dtype=torch.bool).tril(-1)
        self.buffer("mask_direct", self.for_each_score(before))
        for draw in range(connectivity):
            self.add_masks(draw)

    def add_masks(self, draw: int) -> None:
        """Degrees and masks of one set: units see what is of their degree or less."""
        below = torch.arange(self.length) + 1
        for layer, linear in enumerate(self.hidden):
            seed = None if draw == 0 else 1000 * draw + layer
            degree = degrees(self.length, linear.out_features, seed)
            self.buffer(f"degree_{draw}_{layer}", degree)
            self.buffer(f"mask_{draw}_{layer}", degree[:, None] >= below[None, :])
            below = degree
        seen = torch.arange(self.length)[:, None] >= below[None, :]  # (T, H)
        self.buffer(f"mask_{draw}_out", self.for_each_score(seen))

    def for_each_score(self, mask: Tensor) -> Tensor:
        """Each row once for every score of a position: (T, I) -> (T * (V - 1), I)."""
        return mask.repeat_interleave(self.vocabulary - 1, 0)

    def buffer(self, name: str, value: Tensor) -> None:
        """A tensor that moves with the model and is not saved."""
        self.register_buffer(name, value, persistent=False)

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        check_symbols(x, self.vocabulary, self.length)
        symbols = self.value(x)  # (B, T)
        draws = range(self.config["connectivity"])
        if self.training:
            draws = [int(torch.randint(len(draws), ()))]
        return mean([self.through(symbols, draw) for draw in draws])

    def value(self, x: Tensor) -> Tensor:
        """Symbols as numbers 0 .. 1 of the type that the weights have."""
        return x.to(self.out.weight.dtype) / max(1, self.vocabulary - 1)

    def through(self, symbols: Tensor, draw: int) -> Tensor:
        """One pass with one set of masks: (B, T) -> (B, T, V)."""
        h = symbols
        for layer, linear in enumerate(self.hidden):
            h = linear(h, self.get_buffer(f"mask_{draw}_{layer}")).relu()  # (B, H)
        scores = self.out(h, self.get_buffer(f"mask_{draw}_out"))
        if self.direct is not None:
            scores = scores + self.direct(symbols, self.mask_direct)
        scores = scores.to(symbols.dtype).unflatten(1, (self.length, -1))  # (B, T, V - 1)
        return F.pad(scores, (1, 0))  # (B, T, V)

    def start(self, batch: int, context: Tensor | None = None):
        sums = [linear.bias.detach().expand(batch, -1) for linear in self.hidden]
        zeros = self.out.weight.new_zeros(batch, self.length)
        return {
            "t": zeros.new_zeros(batch, dtype=torch.long),
            "symbols": zeros,
            "sums": [list(sums) for _ in range(self.config["connectivity"])],
        }

    def step(self, previous: Tensor | None, state):
        t, symbols, sums = int(state["t"][0]), state["symbols"], state["sums"]
        if previous is not None:
            value = self.value(previous)[:, None]  # (B, 1)
            symbols = symbols.index_copy(1, state["t"][:1] - 1, value)
            sums = [self.add(value, t, old, draw) for draw, old in enumerate(sums)]
        scores = [self.score(t, symbols, new[-1], draw) for draw, new in enumerate(sums)]
        return mean(scores), {"t": state["t"] + 1, "symbols": symbols, "sums": sums}

    def add(self, new: Tensor, t: int, sums: list[Tensor], draw: int) -> list[Tensor]:
        """Read the t-th symbol's value (B, 1) into the sums (B, H) of all layers."""
        columns, added = torch.tensor([t - 1], device=new.device), []
        for layer, linear in enumerate(self.hidden):
            mask = self.get_buffer(f"mask_{draw}_{layer}")[:, columns]
            added.append(sums[layer] + F.linear(new, linear.weight[:, columns] * mask))
            complete = self.get_buffer(f"degree_{draw}_{layer}") == t
            columns = complete.nonzero()[:, 0]
            new = added[-1][:, columns].relu()  # (B, units of degree t)
        return added

    def score(self, t: int, symbols: Tensor, sums: Tensor, draw: int) -> Tensor:
        """The scores (B, V) at position t; sums that are not complete are masked."""
        rows = slice(t * (self.vocabulary - 1), (t + 1) * (self.vocabulary - 1))
        weight = self.out.weight[rows] * self.get_buffer(f"mask_{draw}_out")[rows]
        scores = F.linear(sums.relu(), weight, self.out.bias[rows])  # (B, V - 1)
        if self.direct is not None:
            weight = self.direct.weight[rows] * self.mask_direct[rows]
            scores = scores + F.linear(symbols, weight, self.direct.bias[rows])
        return F.pad(scores, (1, 0))

    def reaches(self, source: int, target: int) -> bool:
        if source >= target or self.direct is not None:
            return source < target
        return any(
            self.path(source, target, draw) for draw in range(self.config["connectivity"])
        )

    def path(self, source: int, target: int, draw: int) -> bool:
        """Whether units of degrees that never fall lead from source to target."""
        degree = source + 1
        for layer in range(len(self.hidden)):
            above = self.get_buffer(f"degree_{draw}_{layer}")
            above = above[above >= degree]
            if not len(above):
                return False
            degree = int(above.min())
        return degree <= target


def mean(scores: list[Tensor]) -> Tensor:
    """The logits of the average of several distributions, each (..., V)."""
    if len(scores) == 1:
        return scores[0]
    logs = torch.stack([score.log_softmax(-1) for score in scores])
    return logs.logsumexp(0) - torch.tensor(float(len(scores))).log()
