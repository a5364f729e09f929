"""Checks of the exercises of chapter 4."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lookback.checks.sheet import Learner, Sheet

check = Sheet()


@check.exercise("From nats to bits")
def bits_per_pixel(learner: Learner) -> None:
    """Nats per image, height, width -> bits per pixel."""
    for nats, height, width in [
        (120.0, 8, 8),
        (84.4, 28, 28),
        (1000 * math.log(2), 10, 25),
    ]:
        bits, N = nats / math.log(2), height * width
        learner.gives(
            bits / N, nats, height, width,
            mistakes={
                "a nat is more than a bit: divide by ln 2": nats * math.log(2) / N,
                "those are nats per pixel; a nat is 1 / ln 2 bits": nats / N,
                "those are bits per image; divide by the number of pixels": bits,
                "the nats are a logarithm already": math.log2(nats) / N,
                "a picture has height times width pixels": bits / (height + width),
                "divided by one side and multiplied by the other: put brackets":
                    bits / height * width,
            },
        )  # fmt: skip


@check.exercise("A colour picture as a sentence")
def to_sequence(learner: Learner) -> None:
    """Pictures (B, 3, H, W) -> (B, H * W * 3)."""
    for B, H, W in [(2, 3, 4), (1, 1, 1), (3, 4, 2)]:
        images = torch.randint(256, (B, 3, H, W))
        learner.gives(
            images.permute(0, 2, 3, 1).flatten(1), images,
            failing="after `permute` the numbers lie elsewhere: `flatten`, not `view`",
            mistakes={
                "all reds come first: the three of a pixel belong together":
                    images.flatten(1),
                "you go column by column; a picture is read row by row":
                    images.permute(0, 3, 2, 1).flatten(1),
                "red, green, blue: you begin with blue":
                    images.flip(1).permute(0, 2, 3, 1).flatten(1),
                "each row gives all its reds first":
                    images.permute(0, 2, 1, 3).flatten(1),
                "`reshape` to (B, H, W, 3) moves no axis; it only cuts the numbers anew":
                    images.reshape(B, H, W, 3).transpose(1, 2).flatten(1),
                "the batch stays as it is, one row a picture":
                    images.permute(0, 2, 3, 1).flatten(),
            },
        )  # fmt: skip


@check.exercise("Where am I?")
def where(learner: Learner) -> None:
    """Height, width -> (H * W, H + W), one-hot rows and columns."""
    for H, W in [(2, 3), (1, 4), (5, 5), (4, 2)]:
        t = torch.arange(H * W)
        row, column = F.one_hot(t // W, H), F.one_hot(t % W, W)
        high = F.one_hot((t // H).clamp(max=H - 1), H)
        both = torch.cat([row, column], 1)
        learner.gives(
            both.float(), H, W,
            mistakes={
                "the row is t // width: you divided by the height":
                    torch.cat([high, column], 1),
                "there is one row for each pixel, height times width of them":
                    both[: H + W],
                "you go down the columns; reading order goes along the rows":
                    torch.cat([F.one_hot(t % H, H), F.one_hot(t // H, W)], 1),
                "the pixels are the rows: yours are transposed": both.T,
                "the row comes first, then the column": torch.cat([column, row], 1),
                "a row has `width` pixels, so pixel t is in row t // width": torch.cat(
                    [high, F.one_hot((t % H).clamp(max=W - 1), W)], 1
                ),
                "a row has `width` pixels; you divided by the height": torch.cat(
                    [F.one_hot(t // H), F.one_hot(t % H)], 1
                ),
                "those are the numbers of row and column, not one-hot":
                    torch.stack([t // W, t % W], 1),
                "that is one place in the sequence, one-hot; asked are row and column":
                    F.one_hot(t),
                "t % width is the column, t // width the row": torch.cat(
                    [F.one_hot((t % W).clamp(max=H - 1), H),
                     F.one_hot((t // W).clamp(max=W - 1), W)], 1
                ),
            },
        )  # fmt: skip


@check.exercise("Which pixels moved it?")
def influence(learner: Learner) -> None:
    """Logits function, pixels (B, T), t -> (T,)."""
    for B, T, t in [(4, 6, 4), (1, 3, 2), (5, 8, 3)]:
        A = torch.randn(T, T).tril(-1)

        def logits(x, A=A, T=T):
            seen = torch.tanh(x @ A.T) + 0.5 * (x @ A.T) ** 2  # (B, T)
            other = torch.sin(2 * (x @ A.T.roll(1, 1)))
            return torch.stack([other * (torch.arange(T) % 2), seen], 2)

        x = torch.randint(2, (B, T))

        def slope(pick, x=x, logits=logits):
            pixels = x.float().requires_grad_()
            pick(logits(pixels)).sum().backward()
            return pixels.grad

        odds = slope(lambda z, t=t: z[:, t, 1] - z[:, t, 0])
        turned = x.float() + torch.eye(T)[:, None] * (1 - 2 * x.float())  # (T, B, T)
        pairs = logits(torch.cat([turned.flatten(0, 1), x.float()])).diff(dim=2)[:, t]
        moved = pairs[:-B].view(T, B) - pairs[-B:].T
        learner.gives(
            odds.abs().mean(0), logits, x, t,
            failing="`x` has whole numbers; only floats can ask for a gradient",
            mistakes={
                "take absolute values before the mean: plus and minus cancel out":
                    odds.mean(0),
                "absolute values come before the mean, not after it": odds.mean(0).abs(),
                "average over the pictures; yours is a sum": odds.abs().sum(0),
                "only the logit of ink was used; the log-odds are ink minus paper":
                    slope(lambda z, t=t: z[:, t, 1]).abs().mean(0),
                "all predictions were added up; asked is the one at pixel t":
                    slope(lambda z: z[..., 1] - z[..., 0]).abs().mean(0),
                "that is the influence in the first picture only": odds[0].abs(),
                "asked is the prediction at pixel t; yours is the one before":
                    slope(lambda z, t=t: z[:, t - 1, 1] - z[:, t - 1, 0]).abs().mean(0),
                "the mean was taken twice, before `backward` and after":
                    odds.abs().mean(0) / B,
                "those are differences from turning pixels over; asked is the derivative":
                    moved.abs().mean(1),
                "that is the gradient of the probability, not of the log-odds":
                    slope(lambda z, t=t: z[:, t].softmax(-1)[:, 1]).abs().mean(0),
            },
        )  # fmt: skip


def made(place: Tensor, hidden: Tensor, first: int = 0, last: int = 0):
    """Masks for pixels at these places (from 1); the shifts break the rule."""
    into = hidden[:, None] >= place[None] + first  # (H, T)
    out = place[:, None] - 1 >= hidden[None] + last  # (T, H)
    return into, out


@check.exercise("MADE in any order")
def made_masks(learner: Learner) -> None:
    """Order (T,), degrees of hidden units (H,) -> masks (H, T) and (T, H)."""
    orders = [
        torch.tensor([2, 0, 1]),
        torch.arange(4),
        torch.randperm(9),
        torch.randperm(6),
    ]
    for order in orders:
        T = len(order)
        hidden = torch.cat([torch.arange(1, T), torch.randint(1, T, (T - 2,))])
        place = order.argsort() + 1
        into, out = made(place, hidden)
        plain = torch.arange(T) + 1
        strict = made(place, hidden, first=1)[0], made(place, hidden, last=1)[1]
        learner.gives(
            (into, out), order, hidden,
            mistakes={
                "`order` says which pixel comes when; you need when each pixel comes, "
                "its inverse": made(order + 1, hidden),
                "the order is not used": made(plain, hidden),
                "an output must not see its own pixel: its degree is one less":
                    made(place, hidden, last=-1),
                "into the hidden layer equal degrees may pass: a unit of degree d knows "
                "the first d pixels": made(place, hidden, first=1),
                "out of the hidden layer equal degrees may pass":
                    made(place, hidden, last=1),
                "equal degrees may pass, in both masks": strict,
                "count the places from 1: `argsort` counts from 0":
                    made(place - 1, hidden),
                "output s predicts pixel s; yours stand in the order of drawing":
                    (into, made(plain, hidden)[1]),
                "rows are the units above, columns those below: yours are transposed":
                    (into.T, out.T),
                "True means *may look*; yours is the other way round": (~into, ~out),
                "into the hidden layer first, then out of it": (out, into),
            },
        )  # fmt: skip


@check.exercise("The nearest training picture")
def nearest(learner: Learner) -> None:
    """Samples (N, T), training pictures (M, T), binary -> pixels that differ (N,)."""
    for N, M, T in [(3, 5, 12), (1, 1, 4), (6, 40, 30)]:
        samples, training = torch.randint(2, (N, T)), torch.randint(2, (M, T))
        samples[-1] = training[0]  # a copy
        if N > 1:
            samples[0] = 0  # an empty sheet
        differ = (samples[:, None] != training[None]).sum(2)  # (N, M)
        shared = (samples[:, None] & training[None]).sum(2)
        missing = (samples[:, None] & (1 - training[None])).sum(2)
        learner.gives(
            differ.amin(1), samples, training,
            mistakes={
                "that is the farthest": differ.amax(1),
                "that is the mean over the training pictures": differ.double().mean(1),
                "you counted the pixels that agree; asked are those that differ":
                    (T - differ).amax(1),
                "pixels that agree were counted, those that differ are asked for":
                    (T - differ).amin(1),
                "that is the share of the pixels; asked is how many": differ.amin(1) / T,
                "each sample is compared with one training picture; compare it with all":
                    differ[torch.arange(N), torch.arange(N)],
                "`min(1)` gives the smallest and their places; take `.values`":
                    differ.min(1),
                "only ink was compared: a pixel also differs where the training picture "
                "has ink and the sample has none": missing.amin(1),
                "one number a sample; yours are for the training pictures":
                    differ.amin(0),
                "those are the places of the nearest, not how far they are":
                    differ.argmin(1),
                "the pixels that share ink do not tell how many differ": shared.amax(1),
                "that is the distance in the plane, a square root": differ.amin(1).sqrt(),
            },
        )  # fmt: skip
