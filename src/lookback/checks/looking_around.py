"""Checks of the exercises of chapter 5."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lookback.checks.sheet import Learner, Sheet

check = Sheet()


def kernel_mask(size: int, kind: str) -> Tensor:
    """True where a pixel may look: above, and to the left (B: and at the centre)."""
    place = torch.arange(size * size).view(size, size)
    centre = size * size // 2
    return place <= centre if kind == "B" else place < centre


@check.exercise("Masks A and B")
def mask(learner: Learner) -> None:
    """Size, kind -> boolean (size, size)."""
    for size, kind in [(3, "A"), (3, "B"), (5, "A"), (7, "B"), (1, "A"), (1, "B")]:
        right = kernel_mask(size, kind)
        middle = size // 2
        rows, narrow, wide = right.clone(), right.clone(), right.clone()
        rows[:middle] = False
        narrow[:, middle + 1 :] = False
        wide[middle] = True
        learner.gives(
            right, size, kind,
            mistakes={
                "A and B have changed places: B sees its own place, A does not":
                    kernel_mask(size, "AB"[kind == "A"]),
                "kind is not used: A leaves out the centre": kernel_mask(size, "B"),
                "kind is not used: B has the centre": kernel_mask(size, "A"),
                "True means *may look*; yours is the other way round": ~right,
                "the rows above are missing": rows,
                "in the rows above a pixel may look to the right as well": narrow,
                "in its own row a pixel sees only what is left of it": wide,
                "rows and columns have changed places": right.T,
                "that is the past turned round: look up and left": right.flip(0, 1),
            },
        )  # fmt: skip


def plain_stack(size: int, depth: int):
    """Masked convolutions: the first of type A, the others of type B."""
    first, rest = (kernel_mask(size, kind).float()[None, None] for kind in "AB")

    def stack(x):
        for layer in range(depth):
            weight = first if layer == 0 else rest
            x = torch.tanh(0.3 * F.conv2d(x, weight, padding=size // 2))
        return torch.cat([x, -x], 1)  # two features that cancel out in a sum

    return stack


def everything_before(x: Tensor) -> Tensor:
    """A stack that sees all earlier pixels."""
    flat = x.flatten(1)
    return (flat.cumsum(1) - flat).view_as(x) * 0.1


def one_row(x: Tensor) -> Tensor:
    """A stack that sees its own row only."""
    return x.cumsum(3) - x


def rows_above(x: Tensor) -> Tensor:
    """A stack that sees all rows above, and nothing of its own."""
    rows = x.sum(3, keepdim=True)
    return (rows.cumsum(2) - rows).expand_as(x)


def reached(stack, side: int, here: tuple[int, int], signed: bool = False) -> Tensor:
    """The pixels that move what stands here."""
    x = torch.full((1, 1, side, side), 0.1).requires_grad_()
    features = stack(x)[0, :, here[0], here[1]]
    (features.sum() if signed else (features**2).sum()).backward()
    return x.grad[0, 0] != 0


@check.exercise("Find the blind spot")
def blind_spot(learner: Learner) -> None:
    """Stack, side, (row, column) -> boolean (side, side): what it never sees."""
    cases = [(plain_stack(3, 6), 7, (5, 2)), (plain_stack(5, 4), 8, (4, 3)),
             (everything_before, 6, (3, 1)), (one_row, 5, (2, 3)),
             (rows_above, 6, (3, 2)),
             (plain_stack(3, 1), 5, (4, 0))]  # fmt: skip
    for stack, side, here in cases:
        seen = reached(stack, side, here)
        place = torch.arange(side * side).view(side, side)
        now = here[0] * side + here[1]
        earlier = place < now
        learner.gives(
            earlier & ~seen, stack, side, here,
            mistakes={
                "those are the pixels it does see": earlier & seen,
                "later pixels are no blind spot: nobody may see them": ~seen,
                "the pixel itself is not earlier": (place <= now) & ~seen,
                "features cancelled out in the sum: square them first":
                    earlier & ~reached(stack, side, here, signed=True),
                "`here` is row, then column": earlier & ~reached(stack, side, here[::-1]),
                "earlier is what comes before in reading order, not only the rows above":
                    (place < here[0] * side) & ~seen,
                "earlier is what comes before in reading order: above, anywhere, too":
                    (place < now) & (place % side <= here[1]) & ~seen,
            },
        )  # fmt: skip


@check.exercise("One pixel's features")
def one_output(learner: Learner) -> None:
    """Features (C, H, W), kernel (O, C, 3, 3), row, column -> (O,)."""
    for C, out, H, W, places in [
        (2, 3, 5, 6, [(2, 3), (0, 0), (4, 5), (1, 0)]), (1, 1, 1, 4, [(0, 0), (0, 3)])
    ]:  # fmt: skip
        features, kernel = torch.randn(C, H, W), torch.randn(out, C, 3, 3)
        kernel = kernel * kernel_mask(3, "B")
        for row, column in places:
            cornered = features[:, row : row + 3, column : column + 3]
            whole = F.conv2d(features[None], kernel, padding=1)[0]
            turned = F.conv2d(features[None], kernel.flip(2, 3), padding=1)[0]
            shifted = F.conv2d(F.pad(features, (0, 2, 0, 2))[None], kernel)[0]
            around = F.conv2d(
                F.pad(features[None], (1, 1, 1, 1), mode="circular"), kernel
            )[0]
            alone = F.conv2d(features[None, :1], kernel[:, :1], padding=1)[0]
            swapped = F.conv2d(features[None], kernel.transpose(2, 3), padding=1)[0]
            learner.gives(
                whole[:, row, column], features, kernel, row, column,
                mistakes={
                    "the kernel is upside down: PyTorch does not turn it round":
                        turned[:, row, column],
                    "the window has its centre at the pixel, not its corner":
                        shifted[:, row, column],
                    "beyond the edge there are zeros; yours goes on at the other side":
                        around[:, row, column],
                    "the kernel's rows and columns have changed places":
                        swapped[:, row, column],
                    "there is no border of zeros: your window begins at the pixel itself":
                        (kernel * cornered).sum((1, 2, 3)),
                    "only the centre of the kernel was used":
                        kernel[:, :, 1, 1] @ features[:, row, column],
                    "the sum runs over all input channels; yours has only the first":
                        alone[:, row, column],
                },
            )  # fmt: skip


@check.exercise("A gate that is told the label")
def gated(learner: Learner) -> None:
    """Features (B, 2 C, H, W), labels (B,), table (10, 2 C) -> (B, C, H, W)."""
    for B, C, H, W in [(3, 2, 4, 5), (1, 1, 2, 2), (10, 3, 3, 3)]:
        x, table = torch.randn(B, 2 * C, H, W), torch.randn(10, 2 * C)
        labels = torch.randperm(10)[:B]
        told = x + table[labels][..., None, None]
        a, b = told.chunk(2, 1)
        first = (x + table[labels[:1]][..., None, None]).chunk(2, 1)
        plain, mixed = x.chunk(2, 1), (told[:, ::2], told[:, 1::2])
        half = a, plain[1]
        once = x.clone()
        once[:, :, 0, 0] += table[labels]
        once = once.chunk(2, 1)
        learner.gives(
            a.tanh() * b.sigmoid(), x, labels, table,
            mistakes={
                "the label is not used": plain[0].tanh() * plain[1].sigmoid(),
                "tanh for the first half, sigmoid for the second": a.sigmoid() * b.tanh(),
                "every picture has a label of its own; you used the first for all":
                    first[0].tanh() * first[1].sigmoid(),
                "the halves are the first C channels and the last C, not every other one":
                    mixed[0].tanh() * mixed[1].sigmoid(),
                "the label belongs into both halves": half[0].tanh() * half[1].sigmoid(),
                "the label belongs to every pixel, not to the first alone":
                    once[0].tanh() * once[1].sigmoid(),
                "a gate multiplies; yours adds": a.tanh() + b.sigmoid(),
                "the gate is missing": a.tanh(),
                "the gate goes through a sigmoid, so that it lies between 0 and 1":
                    a.tanh() * b,
            },
        )  # fmt: skip


@check.exercise("Which digit is it?")
def posterior(learner: Learner) -> None:
    """Log-likelihoods (B, 10), prior (10,) -> probabilities (B, 10)."""
    fixed = torch.tensor([[-1.0, -2.0, -3.0], [-2.0, -2.0, -2.0]])
    cases = [
        (fixed, torch.tensor([0.2, 0.3, 0.5])),
        (fixed - 900, torch.tensor([0.6, 0.3, 0.1])),
    ]
    cases += [(-80 - 9 * torch.rand(4, 10), torch.rand(10).softmax(0)) for _ in range(2)]
    cases += [(torch.tensor([[-3.0, 2000.0, 1999.0]]), torch.tensor([0.5, 0.25, 0.25]))]
    for log_p, prior in cases:
        joint = log_p + prior.log()
        naive = log_p.exp() * prior
        learner.gives(
            joint.softmax(1), log_p, prior,
            mistakes={
                "the prior is not used": log_p.softmax(1),
                "those are logarithms: add the *logarithm* of the prior":
                    (log_p + prior).softmax(1),
                "such a number cannot be told from 0 or infinity: "
                "stay with logarithms": naive / naive.sum(1, keepdim=True),
                "sum over the labels, not over the pictures": joint.softmax(0),
                "they do not sum to one over the labels": naive,
                "those are logarithms still; asked are probabilities":
                    joint.log_softmax(1),
                "multiply the probabilities, not their logarithms":
                    (log_p * prior).softmax(1),
                "that is the likeliest label; asked are the probabilities of all":
                    joint.argmax(1),
            },
        )  # fmt: skip


def convolution_matrix(kernel: Tensor, H: int, W: int) -> Tensor:
    """(N, N): row t has the weights with which pixel t looks at all pixels."""
    basis = torch.eye(H * W).view(H * W, 1, H, W)
    return F.conv2d(basis, kernel[None, None], padding=1).view(H * W, H * W).T


def running_over(kernel: Tensor, H: int, W: int) -> Tensor:
    """The matrix of somebody who forgets where a row ends."""
    N, M = H * W, torch.zeros(H * W, H * W)
    for t in range(N):
        for up in (-1, 0, 1):
            for right in (-1, 0, 1):
                if 0 <= (s := t + up * W + right) < N:
                    M[t, s] += kernel[up + 1, right + 1]
    return M


@check.exercise("A convolution is attention by offset")
def as_attention(learner: Learner) -> None:
    """Kernel (3, 3), height, width -> weights (N, N)."""
    for H, W in [(3, 4), (5, 3), (1, 1), (2, 6)]:
        kernel = torch.randn(3, 3) * kernel_mask(3, "B")
        M = convolution_matrix(kernel, H, W)
        square = M.clone()
        learner.gives(
            M, kernel, H, W,
            mistakes={
                "at the end of a row you look on into the next one: beyond the edge "
                "there is nothing": running_over(kernel, H, W),
                "row t has the weights with which pixel t looks; yours is transposed":
                    square.T,
                "the kernel is turned round: its first entry belongs to the pixel above "
                "and to the left": convolution_matrix(kernel.flip(0, 1), H, W),
                "kernel[i, j]: i goes down, j to the right":
                    convolution_matrix(kernel.T, H, W),
                "the weights of a convolution need not sum to one: no softmax":
                    M.masked_fill(M == 0, -torch.inf).softmax(1),
                "only the pixel itself is seen": torch.eye(H * W) * kernel[1, 1],
            },
        )  # fmt: skip
