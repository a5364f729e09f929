"""Checks of the exercises of chapter 1."""

import torch
from torch import Tensor

from lookback.checks.compare import difference
from lookback.checks.sheet import Learner, Sheet

check = Sheet()


@check.exercise("The state at the last word")
def last_state(learner: Learner) -> None:
    """Hidden states (B, T, H), lengths (B,) -> (B, H)."""
    for T, lengths in [
        (6, [2, 5, 4, 1]),
        (1, [1]),
        (7, torch.randint(1, 8, (5,)).tolist()),
    ]:
        hidden, lengths = torch.randn(len(lengths), T, 3), torch.tensor(lengths)
        rows = torch.arange(len(lengths))
        learner.gives(
            hidden[rows, lengths - 1], hidden, lengths,
            mistakes={
                "you took the last position; in a short sentence that is padding":
                    hidden[:, -1],
                "off by one: with n words the last stands at position n − 1":
                    hidden[rows, lengths.clamp(max=T - 1)],
                "each sentence has a length of its own; you used the first one's":
                    hidden[:, lengths[0] - 1],
                "each sentence has a length of its own; you used the largest":
                    hidden[:, lengths.max() - 1],
                "you took the mean over the words, not the last state": torch.stack(
                    [h[:n].mean(0) for h, n in zip(hidden, lengths, strict=True)]
                ),
                "every position was taken in every sentence; pair them: row 0 with its "
                "position, row 1 with its own": hidden[:, lengths - 1],
                "the axis of time is still there, with length 1; (B, H) has none":
                    hidden[rows, lengths - 1][:, None],
            },
        )  # fmt: skip


@check.exercise("What a writer hears")
def heard(learner: Learner) -> None:
    """Symbols (B, T) and a start symbol -> (B, T)."""
    for x in [torch.tensor([[3, 1, 4, 1], [5, 9, 2, 6]]), torch.tensor([[7]]),
              torch.randint(9, (3, 6))]:  # fmt: skip
        first = torch.full_like(x[:, :1], 10)
        got = learner.gives(
            torch.cat([first, x[:, :-1]], 1), x, 10,
            mistakes={
                "position t hears x_t itself: the answer is in the question": x,
                "the wrong way: position t hears x_(t + 1), a word of the future":
                    torch.cat([x[:, 1:], first], 1),
                "one too many: the last word is heard by nobody, so drop it":
                    torch.cat([first, x], 1),
                "`roll` brings the last word to the front, where `start` belongs":
                    x.roll(1, 1),
                "the first word is overwritten; the others have to move":
                    torch.cat([first, x[:, 1:]], 1),
                "the sentences have moved, not their words: time is axis 1": torch.cat(
                    [torch.full_like(x[:1], 10), x[:-1]], 0
                ),
            },
        )  # fmt: skip
        if isinstance(got, Tensor) and got.is_floating_point():
            learner.wrong("symbols are whole numbers; with floats no embedding works")


def weights(gates: str, D: int, H: int) -> tuple[dict, dict, dict]:
    """Random W (H, D), U (H, H) and b (H,), one of each for each gate."""
    shapes = (H, D), (H, H), (H,)
    return tuple({gate: torch.randn(shape) for gate in gates} for shape in shapes)


@check.exercise("The LSTM cell")
def lstm_cell(learner: Learner) -> None:
    """One step from the equations: (h, c) -> (h, c), (B, H) each."""
    for B, D, H in [(2, 3, 2), (1, 1, 1), (3, 5, 4)]:
        W, U, b = weights("ifog", D, H)
        x, h, c = torch.randn(B, D), torch.randn(B, H), torch.randn(B, H)
        total = {g: x @ W[g].T + h @ U[g].T + b[g] for g in "ifog"}
        i, f, o = (total[g].sigmoid() for g in "ifo")
        g = total["g"].tanh()
        new = f * c + i * g
        swapped = i * c + f * g
        squashed = f * c + i * total["g"].sigmoid()
        learner.gives(
            (o * new.tanh(), new), x, h, c, W, U, b,
            failing="for a batch, W x is `x @ W.T`: (B, D) times (D, H)",
            mistakes={
                "c goes through a tanh before it is shown": (o * new, new),
                "h shows the new c, not the old one": (o * c.tanh(), new),
                "i and f have changed places: f says how much of the old c is kept":
                    (o * swapped.tanh(), swapped),
                "g is no gate; it goes through a tanh, not a sigmoid":
                    (o * squashed.tanh(), squashed),
                "h comes first, then c": (new, o * new.tanh()),
                "only tanh(c) was shown: the gate o is missing": (new.tanh(), new),
                "the new c is missing: return h and c": o * new.tanh(),
            },
        )  # fmt: skip


@check.exercise("The GRU as its authors wrote it")
def cho_gru(learner: Learner) -> None:
    """One step from the equations of Cho et al.: h -> h, (B, H)."""
    for B, D, H in [(2, 3, 2), (1, 1, 1), (3, 5, 4)]:
        W, U, b = weights("rzn", D, H)
        x, h = torch.randn(B, D), torch.randn(B, H)
        r, z = ((x @ W[g].T + h @ U[g].T + b[g]).sigmoid() for g in "rz")
        new = (x @ W["n"].T + (r * h) @ U["n"].T + b["n"]).tanh()
        after = (x @ W["n"].T + r * (h @ U["n"].T) + b["n"]).tanh()
        unread = (x @ W["n"].T + h @ U["n"].T + b["n"]).tanh()
        gated = (x @ W["n"].T + r * (h @ U["n"].T + b["n"])).tanh()
        learner.gives(
            (1 - z) * new + z * h, x, h, W, U, b,
            failing="for a batch, W x is `x @ W.T`: (B, D) times (D, H)",
            mistakes={
                "that is PyTorch's: here r multiplies h before the matrix U, not after":
                    (1 - z) * after + z * h,
                "z has changed its side: z says how much of the old state stays":
                    z * new + (1 - z) * h,
                "r multiplies h alone, before the matrix U; the bias is added after":
                    (1 - z) * gated + z * h,
                "the gate r is not used": (1 - z) * unread + z * h,
                "the old state is missing: h = (1 − z) ⊙ n + z ⊙ h": new,
                "r and z have changed places": (1 - r) * (
                    x @ W["n"].T + (z * h) @ U["n"].T + b["n"]
                ).tanh() + r * h,
            },
        )  # fmt: skip


def speaker(V: int, places: int):
    """A machine that writes, from the word before and its state."""
    table = torch.randn(V + 1, places, V)

    def step(word, state):
        row = V if word is None else int(word)
        return table[row, int(state) % places], state + 1

    return step


def spoken(step, state, eos, longest, feedback=True, hand_on=True, stop=True, keep=True):
    """What `write` returns, with or without each of its parts."""
    said, word = [], None
    while len(said) < longest and not (stop and said and said[-1] == eos):
        logits, new = step(word if feedback else None, state)
        state = new if hand_on else state
        word = int(logits.argmax())
        said.append(word)
    return said if keep else [word for word in said if word != eos]


@check.exercise("A machine that hears itself")
def write(learner: Learner) -> None:
    """Greedy writing: a list of symbols, up to and with the end symbol."""
    for V, longest in [(6, 12), (6, 12), (4, 1), (9, 30), (3, 25), (3, 25)]:
        step, state = speaker(V, 7), torch.zeros(())
        given = step, state, 1, longest
        if not learner.history:
            first, *others = (learner(*given) for _ in range(4))
            if any(difference(other, first) for other in others):
                learner.wrong(
                    "it differs from call to call: take the likeliest, do not draw"
                )
        learner.gives(
            spoken(*given), *given,
            mistakes={
                "the machine does not hear what it wrote: give `step` the word before":
                    spoken(*given, feedback=False),
                "the state is not handed on: keep what `step` returns":
                    spoken(*given, hand_on=False),
                "it does not stop at the end symbol": spoken(*given, stop=False),
                "the end symbol itself belongs to what was written":
                    spoken(*given, keep=False),
                "no more than `longest` words": spoken(step, state, 1, 500),
                "one word too many: at most `longest`":
                    spoken(step, state, 1, longest + 1),
                "one word too few: `longest` words are allowed":
                    spoken(step, state, 1, longest - 1),
            },
        )  # fmt: skip


def factors(step, h: Tensor, x: Tensor) -> list[Tensor]:
    """The Jacobians (H, H) of each step."""
    found = []
    for x_t in x:
        found.append(torch.autograd.functional.jacobian(lambda h, x=x_t: step(h, x), h))
        h = step(h, x_t)
    return found


def standing(step, h: Tensor, x: Tensor) -> Tensor:
    """The product of the Jacobians if the state never moves."""
    product = torch.eye(len(h))
    for x_t in x:
        product = factors(step, h, x_t[None])[0] @ product
    return product


def norm(matrix: Tensor) -> float:
    return float(torch.linalg.matrix_norm(matrix, 2))


@check.exercise("How far a small change gets")
def jacobian_norm(learner: Learner) -> None:
    """The spectral norm of d h_T / d h_0."""
    for T, H, D in [(4, 3, 2), (1, 5, 1), (9, 4, 3)]:
        W, U = torch.randn(H, D), 0.9 * torch.randn(H, H)
        h, x = torch.randn(H), torch.randn(T, D)

        def step(h, x, W=W, U=U):
            return torch.tanh(W @ x + U @ h)

        each = factors(step, h, x)
        product, backwards = torch.eye(H), torch.eye(H)
        for J in each:
            product, backwards = J @ product, backwards @ J
        learner.gives(
            norm(product), step, h, x,
            mistakes={
                "the product stands in the wrong order: the last step comes first":
                    norm(backwards),
                "the norm of a product is not the product of the norms": float(
                    torch.tensor([norm(J) for J in each]).prod()
                ),
                "this is the Frobenius norm; the spectral one is asked for":
                    float(product.norm()),
                "this is the last step alone; multiply all of them": norm(each[-1]),
                "every factor is taken at the first state: the state has to move on":
                    norm(standing(step, h, x)),
                "that is the last step alone, and at the first state": norm(
                    factors(step, h, x[-1:])[0]
                ),
                "the largest eigenvalue is not the norm; that is the largest singular "
                "value": float(torch.linalg.eigvals(product).abs().max()),
                "that is the Jacobian itself; asked is its norm": product,
            },
        )  # fmt: skip
