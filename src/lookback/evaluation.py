"""What the chapters measure: nats, exact match, BLEU, curves by length, alignments."""

from collections.abc import Callable, Iterable, Sequence

import sacrebleu
import torch
from torch import Tensor

from lookback.autoregressive import Autoregressive


@torch.no_grad()
def nats(model: Autoregressive, x: Tensor, context=None, batch: int = 250) -> float:
    """Mean negative log-probability of the sequences (N, T), in nats a sequence."""
    return -log_probs(model, x, context, batch).mean().item()


@torch.no_grad()
def log_probs(model: Autoregressive, x: Tensor, context=None, batch: int = 250):
    """Log-probability of each of the sequences (N, T) in nats: (N,), scored in parts."""
    device = next(model.parameters()).device
    parts = []
    for start in range(0, len(x), batch):
        rows = slice(start, start + batch)
        given = None if context is None else context[rows].to(device)
        parts.append(model.log_prob(x[rows].to(device), given).cpu())
    return torch.cat(parts)


def exact(found: Sequence, references: Sequence) -> list[bool]:
    """For each sentence, whether it is the reference, word by word."""
    check_pairs(found, references)
    return [tuple(one) == tuple(two) for one, two in zip(found, references, strict=True)]


def exact_match(found: Sequence, references: Sequence) -> float:
    """The share of sentences that are the reference, 0 to 1."""
    right = exact(found, references)
    return sum(right) / len(right)


def bleu(found: Sequence, references: Sequence) -> float:
    """Corpus BLEU, 0 to 100, of sentences given as words (Papineni et al. 2002).

    `sacrebleu` computes it; the words are already tokens, so it splits at spaces only.
    """
    check_pairs(found, references)
    found, references = [[" ".join(s) for s in part] for part in (found, references)]
    return sacrebleu.corpus_bleu(found, [references], tokenize="none", force=True).score


def by_band(
    values: Sequence[float], keys: Sequence, bands: Iterable
) -> dict[object, float]:
    """The mean of the values whose key lies in each band.

    Args:
        bands: single keys, or ranges of keys (`range(1, 10)`). Empty bands are left out.
    """
    check_pairs(values, keys)
    means = {}
    for band in bands:
        inside = [v for v, k in zip(values, keys, strict=True) if within(k, band)]
        if inside:
            means[band] = sum(inside) / len(inside)
    return means


def within(key, band) -> bool:
    """Whether a key is the band, or lies in it where the band is a range."""
    return key in band if isinstance(band, range) else key == band


def alignment_error_rate(weights: Sequence[Tensor], gold: Sequence) -> float:
    """Share of wrong links when each target word picks its heaviest source word.

    Args:
        weights: a (T, S) tensor a sentence; further rows, as that of the end, are left
            out.
        gold: for each sentence and each target word, the source positions it is linked
            to; words linked to nothing are not counted.

    With all gold links sure, the error rate of Och and Ney (2003) is
    1 - 2 |A and S| / (|A| + |S|); here every word has one link in A, and a word with
    several gold links counts as one that any of them satisfies.
    """
    check_pairs(weights, gold)
    right = total = 0
    for rows, links in zip(weights, gold, strict=True):
        if len(rows) < len(links):
            raise ValueError(
                f"{len(links)} target words need as many rows of weights, got {len(rows)}"
            )
        best = rows.argmax(-1).tolist()
        pairs = [(b, link) for b, link in zip(best, links, strict=False) if link]
        right += sum(b in link for b, link in pairs)
        total += len(pairs)
    if total == 0:
        raise ValueError("no target word has a gold link: there is nothing to score")
    return 1 - right / total


def check_pairs(one: Sequence, two: Sequence) -> None:
    """Raise a ValueError unless both have the same length, and some."""
    if len(one) != len(two) or not len(one):
        raise ValueError(f"expected two lists as long as each other, not empty; "
                         f"got {len(one)} and {len(two)}")  # fmt: skip


def translate(model: Autoregressive, sources: Tensor, decode: Callable,
              batch: int = 100, **options) -> list:  # fmt: skip
    """Decode many sources (N, S), some at a time; the hypotheses in order."""
    device = next(model.parameters()).device
    found = []
    for start in range(0, len(sources), batch):
        rows = sources[start : start + batch].to(device)
        rows = rows[:, : int((rows != model.pad).sum(1).max())]
        found += decode(model, rows, **options)
    return found
