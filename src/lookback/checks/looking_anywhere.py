"""Checks of the exercises of chapter 6."""

import torch
from torch import Tensor

from lookback.attention import Additive, attend, causal, scaled_dot
from lookback.checks.compare import difference
from lookback.checks.sheet import Learner, Sheet

check = Sheet()


@check.exercise("A padding mask")
def padding_mask(learner: Learner) -> None:
    """Words (B, S), the padding symbol -> boolean (B, 1, S)."""
    for words, pad in [
        (torch.tensor([[5, 3, 9, 0, 0], [7, 2, 0, 0, 0]]), 0),
        (torch.tensor([[0, 4, 6, 6], [4, 0, 3, 1]]), 6),
        (torch.randint(1, 9, (3, 4)), 0),
        (torch.tensor([[0]]), 0),
    ]:
        may = (words != pad)[:, None]
        length = (words != pad).sum(1)
        learner.gives(
            may, words, pad,
            mistakes={
                "True means *may look*; yours is True at padding": ~may,
                "the axis of the queries is missing: (B, 1, S) fits scores (B, T, S)":
                    may[:, 0],
                "the axis of the queries stands before that of the keys, not behind it":
                    may.transpose(1, 2),
                "the padding symbol is given; you took 0": (words != 0)[:, None],
                "a mask is boolean": may.float(),
                "padding need not have the smallest number: compare with !=":
                    (words > pad)[:, None],
                "each sentence has its own padding; you used the first one's":
                    may[:1].expand_as(may),
                "one word too many: the first padding is let through":
                    (torch.arange(words.shape[1]) <= length[:, None])[:, None],
            },
        )  # fmt: skip


def looked(query: Tensor, key: Tensor, value: Tensor, mask: Tensor,
           scale: float | None = None,
           axis: int = -1, late: bool = False) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Attention, with or without the mistakes that a learner may make."""
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = query @ key.transpose(-2, -1) * scale
    if late:
        weights = scores.softmax(axis) * mask
    else:
        low = torch.finfo(scores.dtype).min
        weights = scores.masked_fill(~mask, low).softmax(axis).masked_fill(~mask, 0)
    return weights @ value, weights


def hard_masked(query: Tensor, key: Tensor, value: Tensor, mask: Tensor):
    """Attention whose row without any key is NaN."""
    scores = scaled_dot(query, key).masked_fill(~mask, -torch.inf)
    weights = scores.softmax(-1)
    return weights @ value, weights


def by_hand(query: Tensor, key: Tensor, value: Tensor, mask: Tensor):
    """Attention whose exponentials overflow."""
    scores = scaled_dot(query, key).masked_fill(~mask, -torch.inf).exp()
    weights = scores / scores.sum(-1, keepdim=True)
    return weights @ value, weights


@check.exercise("A dictionary that answers softly")
def attention(learner: Learner) -> None:
    """Query, key, value, mask -> context (B, T, E) and weights (B, T, S)."""
    given = []
    for B, T, S, D, E, spread in [(2, 3, 5, 4, 6, 3), (1, 1, 1, 1, 1, 3),
                                  (3, 4, 4, 16, 2, 3), (2, 2, 7, 3, 3, 3),
                                  (1, 2, 6, 4, 3, 30)]:  # fmt: skip
        query, key, value = (
            spread * torch.randn(B, n, d) for n, d in ((T, D), (S, D), (S, E))
        )
        mask = torch.rand(B, T, S) < 0.6
        mask[..., 0] = True
        if T > 2:
            mask[0, 1] = False  # may look nowhere
        if spread > 3:  # what fits best is forbidden
            best = scaled_dot(query, key).argmax(-1, keepdim=True)
            mask = torch.arange(S) != best
        given.append((query, key, value, mask))
    for query, key, value, mask in [*given, unlike()]:
        learner.gives(attend(query, key, value, mask=mask), query, key, value, mask,
                      mistakes=answers(query, key, value, mask))  # fmt: skip


def unlike() -> tuple[Tensor, ...]:
    """A query that all keys contradict, with scores of about -300; three are allowed."""
    key = torch.tensor([1.0, 0, 0, 0]) + 2e-3 * torch.randn(1, 5, 4)
    query = torch.tensor([[[-600.0, 0, 0, 0]]])
    mask = torch.tensor([[[True, False, True, True, False]]])
    return query, key, torch.randn(1, 5, 3), mask


def answers(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> dict[str, tuple]:
    """What somebody gets who makes a known mistake in attention."""
    given, (T, D), S = (query, key, value, mask), query.shape[1:], key.shape[1]
    scores, everywhere = scaled_dot(query, key), torch.ones_like(mask)
    low = torch.finfo(query.dtype).min
    late = scores.softmax(-1) * mask
    late = (late / late.sum(-1, keepdim=True)).nan_to_num(0)
    hundred = scores.masked_fill(~mask, -100).softmax(-1) * mask
    filled, nought = (
        scores.masked_fill(~mask, number).softmax(-1) for number in (low, 0)
    )
    found = {
        "scores are divided by √D; yours are not": looked(*given, scale=1.0),
        "scores are divided by √D, not by D": looked(*given, scale=1 / D),
        "D is the size of a query, not the number of queries":
            looked(*given, scale=T**-0.5),
        "D is the size of a query, not the number of keys":
            looked(*given, scale=S**-0.5),
        "D is the size of a query; yours is the same for all, 4":
            looked(*given, scale=0.5),
        "your weights sum to one over queries; they should over keys":
            looked(*given, axis=-2),
        "the mask is not used": looked(query, key, value, everywhere),
        "True means *may look*; you did it the other way round":
            looked(query, key, value, ~mask),
        "the mask comes before the softmax; after it weights do not sum to one":
            looked(*given, late=True),
        "mask before the softmax: after it, what is left may have been rounded to 0":
            (late @ value, late),
        "−100 is a score like any other: what is forbidden gets −∞":
            (hundred @ value, hundred),
        "a score of 0 is a score like any other: what is forbidden gets −∞":
            (nought @ value, nought),
        "a query that may look nowhere gets zeros, not NaN": hard_masked(*given),
        "a query that may look nowhere gets zeros; yours looks everywhere":
            (filled @ value, filled),
        "the context first, then the weights": attend(query, key, value, mask=mask)[::-1],
    }  # fmt: skip
    if mask.any(-1).all() and scores.max() > -80:  # else there are two mistakes in one
        found[
            "exp of a score like 200 is infinite; softmax first subtracts the largest"
        ] = by_hand(*given)
    return found


def summed(query: Tensor, key: Tensor, W: Tensor, U: Tensor) -> Tensor:
    """W q + U k for all pairs: (B, T, S, H)."""
    return (query @ W.T)[:, :, None] + (key @ U.T)[:, None]


@check.exercise("The additive score")
def additive(learner: Learner) -> None:
    """Query (B, T, D), key (B, S, E), W, U, v -> scores (B, T, S)."""
    for B, T, S, D, E, H in [(2, 3, 4, 5, 5, 6), (1, 1, 1, 2, 3, 1), (2, 4, 2, 3, 4, 5)]:
        query, key = torch.randn(B, T, D), torch.randn(B, S, E)
        W, U, v = torch.randn(H, D), torch.randn(H, E), torch.randn(H)
        score = Additive(D, E, H)
        parts = {"from_query.weight": W, "from_query.bias": torch.zeros(H),
                 "from_key.weight": U, "v.weight": v[None]}  # fmt: skip
        score.load_state_dict(parts)
        right = score(query, key).detach()
        total = summed(query, key, W, U)
        pairs = {} if D != E else {
            "W belongs to the query, U to the key": torch.tanh(
                summed(query, key, U, W)
            ) @ v
        }  # fmt: skip
        learner.gives(
            right, query, key, W, U, v,
            mistakes={
                "without the tanh a query adds the same to all its scores": total @ v,
                "the tanh comes before v, not after it": (total @ v).tanh(),
                "rows are queries, columns keys: (B, T, S)": right.transpose(1, 2),
                "those are weights; the softmax comes later": right.softmax(-1),
                "tanh of the sum, not the sum of two tanh":
                    ((query @ W.T).tanh()[:, :, None] + (key @ U.T).tanh()[:, None]) @ v,
                "v weighs the H numbers before they are summed": total.tanh().sum(-1),
                "query and key are added, not multiplied": torch.tanh(
                    (query @ W.T)[:, :, None] * (key @ U.T)[:, None]
                ) @ v,
                **pairs,
            },
        )  # fmt: skip


@check.exercise("A window around a centre")
def window(learner: Learner) -> None:
    """Centres (T,), S, radius -> boolean (T, S)."""
    for centre, S, radius in [
        (torch.tensor([0.0, 2.0, 5.0, 6.0]), 8, 2),
        (torch.tensor([1.3, 4.7, -0.6]), 6, 1),
        (torch.tensor([3.0]), 5, 0),
        (9 * torch.rand(5), 9, 3),
    ]:
        place, middle = torch.arange(S), centre[:, None]
        away = place - middle
        learner.gives(
            away.abs() <= radius, centre, S, radius,
            mistakes={
                "exactly `radius` away is still inside": away.abs() < radius,
                "the window reaches to both sides; yours looks back only":
                    (away <= 0) & (away >= -radius),
                "the window reaches to both sides; yours has no end on the left":
                    away <= radius,
                "True means *may look*; yours is the other way round":
                    away.abs() > radius,
                "query t looks around centre[t], not around t": (
                    place - torch.arange(len(centre))[:, None]
                ).abs() <= radius,
                "a centre may lie between two words: do not round it":
                    (place - middle.long()).abs() <= radius,
                "a centre may lie between two words: do not round it to the nearest":
                    (place - middle.round()).abs() <= radius,
                "a centre may lie outside of the sentence: leave it there":
                    (place - middle.clamp(0, S - 1)).abs() <= radius,
                "rows are queries, columns keys: (T, S)": (away.abs() <= radius).T,
            },
        )  # fmt: skip


def first(x: Tensor) -> Tensor:
    """A layer that knows which position is the first, and nothing else."""
    return x - x[:, :1]


def layers(D: int) -> list[tuple[str, bool]]:
    """Layers (B, T, D) -> (B, T, D), and whether they know the order."""
    W = torch.randn(D, D) / D**0.5

    def alone(x):
        return torch.tanh(x @ W)

    def attention(x):
        return attend(x @ W, x, x)[0]

    def told(x):
        return attention(x + torch.linspace(0, 1, x.shape[1])[:, None])

    def whispered(x):
        return attention(x + 1e-2 * torch.linspace(0, 1, x.shape[1])[:, None])

    def masked(x):
        return attend(x @ W, x, x, mask=causal(x.shape[1]))[0]

    def mean(x):
        return x.mean(1, keepdim=True).expand_as(x)

    def mirror(x):  # the same from both ends
        nothing = torch.zeros_like(x[:, :1])
        return torch.cat([nothing, x[:, :-1]], 1) + torch.cat([x[:, 1:], nothing], 1)

    def ring(x):  # the same from wherever one begins
        return x + x.roll(1, 1)

    return [(attention, False), (told, True), (masked, True), (alone, False),
            (mean, False),
            (mirror, True), (ring, True), (first, True), (whispered, True)]  # fmt: skip


def judged(layer, x: Tensor, order: Tensor, axis: int = 1) -> bool:
    """Whether the output moves otherwise than the input."""
    moved = layer(x.index_select(axis, order))
    return not torch.allclose(moved, layer(x).index_select(axis, order), atol=1e-4)


@check.exercise("Does it know the order?")
def knows_order(learner: Learner) -> None:
    """A layer, an input (B, T, D) -> whether it knows the order of its positions."""
    for layer, knows in layers(6):
        x = torch.randn(2, 8, 6)
        shuffled, T = x.roll(3, 1), x.shape[1]
        still = torch.allclose(layer(shuffled), layer(x), atol=1e-4)
        exact = not torch.equal(layer(x[:, [3, 1, 2, 0, *range(4, T)]]),
                                layer(x)[:, [3, 1, 2, 0, *range(4, T)]])  # fmt: skip
        total = torch.allclose(layer(shuffled).sum(1), layer(x).sum(1), atol=1e-3)
        learner.gives(
            knows, layer, x,
            mistakes={
                "do not guess: some layers know nothing of the order": True,
                "some layers do know the order, and yours never says so: do not guess, "
                "and shuffle axis 1, the positions, not the batch": False,
                "the other way round: it knows nothing of the order if the output is "
                "shuffled like the input": not knows,
                "compare with the *shuffled* output: the rows have moved": not still,
                "that shuffles the numbers in each vector; positions are axis 1":
                    judged(layer, x, torch.arange(6).flip(0), axis=2),
                "turning the sequence round is not enough: a layer may be the same from "
                "both ends": judged(layer, x, torch.arange(T).flip(0)),
                "moving all by one is not enough: a layer may go round in a ring":
                    judged(layer, x, torch.arange(T).roll(1)),
                "computers add up in another order and round: compare with `allclose`":
                    exact or knows,
                "a sum over positions forgets what you ask for": not total,
            },
        )  # fmt: skip
    for _ in range(70):  # one shuffle in 16 leaves the first where it is
        if difference(learner(first, torch.randn(1, 16, 2)), True):
            learner.wrong("one shuffle may leave in its place what matters: try several")


def by_pieces(y: Tensor, heads: int) -> Tensor:
    """Neighbouring pieces of D / heads: (B, T, D) -> (B, heads, T, D / heads)."""
    return y.unflatten(-1, (heads, -1)).transpose(1, 2)


def by_turns(y: Tensor, heads: int) -> Tensor:
    """Number i goes to head i modulo `heads`, which is a mistake."""
    return y.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)


def unmoved(y: Tensor, heads: int) -> Tensor:
    """The right shape, but in reading order, which is a mistake."""
    return y.reshape(len(y), heads, y.shape[1], -1)


def heads_looked(x: Tensor, W: tuple[Tensor, ...], heads: int, scale: int | None = None,
                 mask: Tensor | None = None, split=by_pieces, axis: int = -1,
                 moved: bool = True) -> Tensor:  # fmt: skip
    """Multi-head attention, with or without the mistakes of a learner: (B, T, D)."""
    q, k, v = (split(x @ w.T, heads) for w in W[:3])  # (B, heads, T, D / heads)
    scores = q @ k.transpose(-2, -1) / (scale or q.shape[-1]) ** 0.5
    mask = causal(x.shape[1]) if mask is None else mask
    context = scores.masked_fill(~mask, -torch.inf).softmax(axis) @ v
    return (context.transpose(1, 2) if moved else context).reshape(x.shape) @ W[3].T


@check.exercise("Causal attention with several heads")
def causal_heads(learner: Learner) -> None:
    """x (B, T, D), four matrices (D, D), heads -> (B, T, D)."""
    for B, T, D, heads in [(2, 5, 8, 2), (1, 1, 4, 4), (2, 4, 6, 1), (3, 6, 12, 3)]:
        x, W = torch.randn(B, T, D), tuple(torch.randn(D, D) / D**0.5 for _ in range(4))
        given, itself = (x, W, heads), torch.eye(T, dtype=torch.bool)
        learner.gives(
            heads_looked(*given), x, *W, heads,
            mistakes={
                "a position looks at later ones: the causal mask is missing":
                    heads_looked(*given, mask=causal(T) | True),
                "the mask is upside down: position t looks at 0 to t":
                    heads_looked(*given, mask=~causal(T) | itself),
                "position t looks at itself, too: the diagonal belongs to the mask":
                    heads_looked(*given, mask=causal(T) & ~itself),
                "your weights sum to one over queries; they should over keys":
                    heads_looked(*given, axis=-2),
                "each head divides by the root of its own size, D / heads":
                    heads_looked(*given, scale=D),
                "scores are divided by a square root; yours are not":
                    heads_looked(*given, scale=1),
                "to split D into heads, first view (B, T, heads, D / heads), then move "
                "the axis": heads_looked(*given, split=unmoved),
                "a head has D / heads neighbouring numbers; yours takes every so many":
                    heads_looked(*given, split=by_turns),
                "move the heads' axis back behind T before you flatten":
                    heads_looked(*given, moved=False),
                "the output matrix is missing":
                    heads_looked(x, (*W[:3], torch.eye(D)), heads),
                "all heads look alike: you did not split": heads_looked(x, W, 1),
                "weights are stored as (out, in): x @ W.T":
                    heads_looked(x, tuple(w.T for w in W), heads),
                "keys and values have changed places":
                    heads_looked(x, (W[0], W[2], W[1], W[3]), heads),
                "queries and keys have changed places":
                    heads_looked(x, (W[1], W[0], W[2], W[3]), heads),
            },
        )  # fmt: skip
