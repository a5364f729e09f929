"""Checks of the exercises of chapter 5."""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from lookback.checks.sheet import Learner, Sheet

check = Sheet()


def earlier(height: int, width: int, kind: str) -> Tensor:
    """True where a pixel may look: above, and to the left (B: and at the centre)."""
    place = torch.arange(height * width).view(height, width)
    centre = height * width // 2
    return place <= centre if kind == "B" else place < centre


@check.exercise("Masks A and B")
def mask(learner: Learner) -> None:
    """Height, width, kind -> boolean (height, width)."""
    for height, width, kind in [(3, 3, "A"), (3, 3, "B"), (3, 5, "A"), (7, 3, "B"),
                                (1, 3, "A"), (1, 1, "B")]:  # fmt: skip
        right = earlier(height, width, kind)
        rows, narrow, wide = right.clone(), right.clone(), right.clone()
        rows[: height // 2] = False
        narrow[:, width // 2 + 1 :] = False
        wide[height // 2] = True
        learner.gives(
            right, height, width, kind,
            mistakes={
                "A and B have changed places: B sees its own place, A does not":
                    earlier(height, width, "AB"[kind == "A"]),
                "kind is not used: A leaves out the centre": earlier(height, width, "B"),
                "kind is not used: B has the centre": earlier(height, width, "A"),
                "True means *may look*; yours is the other way round": ~right,
                "the rows above are missing": rows,
                "in the rows above a pixel may look to the right as well": narrow,
                "in its own row a pixel sees only what is left of it": wide,
                "places are counted row by row; yours go column by column":
                    earlier(width, height, kind).T,
                "that is the past turned round: look up and left": right.flip(0, 1),
                "that is a triangle: places are counted in reading order, row by row":
                    torch.ones(height, width).bool().tril(0 if kind == "B" else -1),
            },
        )  # fmt: skip


def plain_stack(size: int, depth: int):
    """Masked convolutions: the first of type A, the others of type B."""
    first, rest = (earlier(size, size, kind).float()[None, None] for kind in "AB")

    def stack(x):
        for layer in range(depth):
            weight = first if layer == 0 else rest
            x = torch.tanh(0.3 * F.conv2d(x, weight, padding=size // 2))
        return torch.cat([x, -x], 1)  # two features that cancel out in a sum

    return stack


def sum_before(x: Tensor, axis: int) -> Tensor:
    """The sum of all earlier entries; moved by one, since a difference is rounded."""
    sums = x.cumsum(axis).narrow(axis, 0, x.shape[axis] - 1)
    return torch.cat([torch.zeros_like(x.narrow(axis, 0, 1)), sums], axis)


def everything_before(x: Tensor) -> Tensor:
    """A stack that sees all earlier pixels."""
    return sum_before(x.flatten(1), 1).view_as(x) * 0.1


def one_row(x: Tensor) -> Tensor:
    """A stack that sees its own row only."""
    return sum_before(x, 3)


def rows_above(x: Tensor) -> Tensor:
    """A stack that sees all rows above, and nothing of its own."""
    return sum_before(x.sum(3, keepdim=True), 2).expand_as(x)


def for_and_against(x: Tensor) -> Tensor:
    """One layer; a pixel above speaks against what stands here."""
    kernel = earlier(3, 3, "A").float()
    kernel[0] *= torch.tensor([1.0, -0.4, 0.7])
    return F.conv2d(x, kernel[None, None], padding=1)


def above_and_beside(x: Tensor) -> Tensor:
    """A stack with two features: one sees its own row, the other all rows above."""
    return torch.cat([one_row(x), rows_above(x)], 1)


def pull(stack, side: int, here: tuple[int, int], signed: bool = False,
         features: slice = slice(None)) -> Tensor:  # fmt: skip
    """By how much each pixel moves what stands here: (side, side)."""
    x = torch.full((1, 1, side, side), 0.1).requires_grad_()
    found = stack(x)[0, features, here[0], here[1]]
    (found.sum() if signed else (found**2).sum()).backward()
    return x.grad[0, 0]


def reached(*asked, **options) -> Tensor:
    """The pixels that move what stands here."""
    return pull(*asked, **options) != 0


@check.exercise("Find the blind spot")
def blind_spot(learner: Learner) -> None:
    """Stack, side, (row, column) -> boolean (side, side): what it never sees."""
    cases = [(plain_stack(3, 6), 7, (5, 2)), (plain_stack(5, 4), 8, (4, 3)),
             (everything_before, 6, (3, 1)), (one_row, 5, (2, 3)),
             (rows_above, 6, (3, 2)), (above_and_beside, 6, (4, 3)),
             (plain_stack(3, 1), 5, (4, 0)), (for_and_against, 5, (3, 2))]  # fmt: skip
    for stack, side, here in cases:
        seen, turned = reached(stack, side, here), reached(stack, side, here[::-1])
        place = torch.arange(side * side).view(side, side)
        row, column = here
        now = row * side + column
        before = place < now
        up, right = row - place // side, place % side - column
        learner.gives(
            before & ~seen, stack, side, here,
            mistakes={
                "those are the pixels it does see": before & seen,
                "later pixels are no blind spot: nobody may see them": ~seen,
                "the pixel itself is not earlier": (place <= now) & ~seen,
                "features cancelled out in the sum: square them first":
                    before & ~reached(stack, side, here, signed=True),
                "it is enough that one of the C features is moved; you asked one alone":
                    before & ~reached(stack, side, here, features=slice(1)),
                "nothing moves the square of what is zero: start from a picture that "
                "is not all zeros": before,
                "each stack has a blind spot of its own; you drew that of deep 3 × 3 "
                "kernels": before & (right > up),
                "a gradient may be negative: ask whether it is zero":
                    before & (pull(stack, side, here) <= 0),
                "`here` is row, then column":
                    (place < column * side + row) & ~turned,
                "`here` is row, then column; you read the features the other way round":
                    before & ~turned,
                "earlier is what comes before in reading order, not only the rows above":
                    (place < row * side) & ~seen,
                "earlier is what comes before in reading order: above, anywhere, too":
                    before & (place % side <= column) & ~seen,
            },
        )  # fmt: skip


class Convolutions(TorchFunctionMode):
    """Counts the pixels for which something is convolved while it is entered."""

    def __init__(self):
        super().__init__()
        self.pixels = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function is torch.conv2d:
            self.pixels += result[..., 0, :, :].numel()
        return result


def watched(learner: Learner) -> tuple[Learner, Convolutions]:
    """The same learner, and what counts their convolutions, in whatever thread."""
    seen = Convolutions()

    @functools.wraps(learner.function)
    def function(*given):
        with seen:
            return learner.function(*given)

    return Learner(learner.name, function), seen


@check.exercise("One pixel's features")
def one_output(learner: Learner) -> None:
    """Features (C, H, W), kernel (O, C, 3, 3), row, column -> (O,)."""
    for C, out, H, W, places in [
        (2, 3, 5, 6, [(2, 3), (0, 0), (4, 5), (1, 0)]), (1, 1, 1, 4, [(0, 0), (0, 3)])
    ]:  # fmt: skip
        features, kernel = torch.randn(C, H, W), torch.randn(out, C, 3, 3)
        kernel = kernel * earlier(3, 3, "B")
        for row, column in places:
            inside = 0 < row < H - 1 and 0 < column < W - 1
            learner.gives(
                F.conv2d(features[None], kernel, padding=1)[0, :, row, column],
                features, kernel, row, column,
                mistakes=outputs(features, kernel, row, column),
                failing="" if inside else "at the picture's edge a part of the window "
                "lies outside: put a border of zeros around it",
            )  # fmt: skip
    features, kernel = torch.randn(4, 30, 30), torch.randn(4, 4, 3, 3)
    again, seen = watched(learner)
    again(features, kernel, 20, 7)
    if seen.pixels > 1:
        again.wrong("you convolve more than one window: look at nine places only")


def outputs(features: Tensor, kernel: Tensor, row: int, column: int) -> dict[str, Tensor]:
    """What somebody gets at a pixel who makes a known mistake."""

    def convolved(kernel, *border, features=features, mode="constant"):
        around = F.pad(features[None], border or (1, 1, 1, 1), mode=mode)
        return F.conv2d(around, kernel)[0, :, row, column]

    (H, W), cornered = features.shape[1:], features[:, row : row + 3, column : column + 3]
    found = {
        "the kernel is upside down: PyTorch does not turn it round":
            convolved(kernel.flip(2, 3)),
        "the window has its centre at the pixel, not its corner":
            convolved(kernel, 0, 2, 0, 2),
        "the border has moved the picture by one: the window begins at (row, column)":
            convolved(kernel, 2, 0, 2, 0),
        "beyond the edge there are zeros; yours goes on at the other side":
            convolved(kernel, mode="circular"),
        "the kernel's rows and columns have changed places":
            convolved(kernel.transpose(2, 3)),
        "there is no border of zeros: your window begins at the pixel itself":
            (kernel * cornered).sum((1, 2, 3)),
        "only the centre of the kernel was used":
            kernel[:, :, 1, 1] @ features[:, row, column],
        "the sum runs over all input channels; yours has only the first":
            convolved(kernel[:, :1], features=features[:1]),
    }  # fmt: skip
    if column < H and row < W:
        whole = F.conv2d(features[None], kernel, padding=1)[0]
        found["row and column have changed places"] = whole[:, column, row]
    return found


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
                "the label comes before the gate; yours is added to what comes out":
                    plain[0].tanh() * plain[1].sigmoid()
                    + table[labels].chunk(2, 1)[0][..., None, None],
                "a gate multiplies; yours adds": a.tanh() + b.sigmoid(),
                "the gate is missing": a.tanh(),
                "the gate goes through a sigmoid, so that it lies between 0 and 1":
                    a.tanh() * b,
            },
        )  # fmt: skip


@check.exercise("Which digit is it?")
def posterior(learner: Learner) -> None:
    """Log-likelihoods (B, L), prior (L,) -> probabilities (B, L)."""
    fixed = torch.tensor([[-1.0, -2.0, -3.0], [-2.0, -2.0, -2.0]])
    cases = [
        (fixed, torch.tensor([0.2, 0.3, 0.5])),
        (fixed - 900, torch.tensor([0.6, 0.3, 0.1])),
    ]
    cases += [(-80 - 9 * torch.rand(4, 10), torch.rand(10).softmax(0)) for _ in range(2)]
    cases += [
        (torch.tensor([[-3.0, 2000.0, 1999.0]]), torch.tensor([0.5, 0.25, 0.25])),
        (fixed - torch.tensor([[900.0], [700.0]]), torch.tensor([0.2, 0.3, 0.5])),
    ]
    for log_p, prior in cases:
        joint = log_p + prior.log()
        naive, one_top = log_p.exp() * prior, (joint - joint.max()).exp()
        learner.gives(
            joint.softmax(1), log_p, prior,
            mistakes={
                "the prior is not used": log_p.softmax(1),
                "those are logarithms: add the *logarithm* of the prior":
                    (log_p + prior).softmax(1),
                "such a number cannot be told from 0 or infinity: "
                "stay with logarithms": naive / naive.sum(1, keepdim=True),
                "each picture has a largest of its own to subtract, not that of all":
                    one_top / one_top.sum(1, keepdim=True),
                "sum over the labels, not over the pictures": joint.softmax(0),
                "they do not sum to one over the labels": naive,
                "after the prior they no longer sum to one over the labels":
                    log_p.softmax(1) * prior,
                "those are logarithms still; asked are probabilities":
                    joint.log_softmax(1),
                "multiply the probabilities, not their logarithms":
                    (log_p * prior).softmax(1),
                "that is the likeliest label; asked are the probabilities of all":
                    joint.argmax(1),
            },
        )  # fmt: skip


def convolution_matrix(kernel: Tensor, H: int, W: int, *border: int,
                       mode: str = "constant") -> Tensor:  # fmt: skip
    """(N, N): row t has the weights with which pixel t looks at all pixels."""
    basis = torch.eye(H * W).view(H * W, 1, H, W)
    around = F.pad(basis, border or (1, 1, 1, 1), mode=mode)
    return F.conv2d(around, kernel[None, None]).flatten(1).T


def running_over(kernel: Tensor, H: int, W: int) -> Tensor:
    """The matrix of somebody who forgets where a row ends."""
    N, M = H * W, torch.zeros(H * W, H * W)
    for t in range(N):
        for up in (-1, 0, 1):
            for right in (-1, 0, 1):
                if 0 <= (s := t + up * W + right) < N:
                    M[t, s] += kernel[up + 1, right + 1]
    return M


def renumbered(M: Tensor, H: int, W: int) -> Tensor:
    """The matrix of somebody who multiplies a row by the height, not by the width."""
    number = (torch.arange(H)[:, None] * H + torch.arange(W)).flatten()  # (N,)
    other = torch.zeros_like(M)
    for t, row in zip(number, M, strict=True):
        for s, weight in zip(number, row, strict=True):
            if weight:
                other[t, s] = weight
    return other


@check.exercise("A convolution is attention by offset")
def as_attention(learner: Learner) -> None:
    """Kernel (3, 3), height, width -> weights (N, N)."""
    for H, W in [(3, 4), (5, 3), (1, 1), (2, 6)]:
        kernel = torch.randn(3, 3)
        M = convolution_matrix(kernel, H, W)
        mistakes = {
            "row t has the weights with which pixel t looks; yours is transposed, or the "
            "kernel is turned round, which gives the same": M.T,
            "kernel[i, j]: i goes down, j to the right":
                convolution_matrix(kernel.T, H, W),
            "the kernel's centre, kernel[1, 1], belongs to the pixel itself: i − 1 rows "
            "down, j − 1 columns to the right":
                convolution_matrix(kernel, H, W, 0, 2, 0, 2),
            "beyond the edge there is nothing; yours repeats the edge":
                convolution_matrix(kernel, H, W, mode="replicate"),
            "this kernel has weights for later pixels as well; yours are all zero":
                M.tril(),
            "the weights of a convolution need not sum to one: no softmax": M.softmax(1),
            "the weights of a convolution need not sum to one: no softmax, nor a mask":
                M.masked_fill(M == 0, -torch.inf).softmax(1),
            "only the pixel itself is seen": torch.eye(H * W) * kernel[1, 1],
        }  # fmt: skip
        if W > 2:  # else two offsets can mean the same pixel
            mistakes[
                "at the end of a row you look on into the next one: beyond the edge "
                "there is nothing"
            ] = running_over(kernel, H, W)
        if H < W:  # else the numbers run out
            mistakes["pixel (i, j) has number i · width + j; yours has the height"] = (
                renumbered(M, H, W)
            )
        learner.gives(M, kernel, H, W, mistakes=mistakes)
