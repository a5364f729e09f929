"""Words as numbers: vocabularies, and padded batches of sentence pairs."""

import difflib
import random

import torch

from .lexicon import ENGLISH, KOREAN

PAD, EOS = 0, 1
SPECIAL = ("<pad>", "<eos>")


def unknown(word, words):
    """The message for a ``word`` that is not among ``words``, with those near it."""
    near = ", ".join(difflib.get_close_matches(str(word), words))
    return f'"{word}" is not in the vocabulary' + (f"; near it: {near}" if near else "")


class Vocabulary:
    """Words with fixed ids: 0 is ``<pad>``, 1 is ``<eos>``, then ``words`` in order."""

    def __init__(self, words):
        self.words = (*SPECIAL, *words)
        self.ids = {word: i for i, word in enumerate(self.words)}
        if len(self.ids) < len(self.words):
            twice = sorted(w for w in self.ids if self.words.count(w) > 1)
            raise ValueError(f"a word may occur once in a vocabulary, not twice: {twice}")

    def __len__(self):
        return len(self.words)

    def encode(self, words):
        """Words -> ids ending in ``<eos>``; ``ValueError`` for an unknown word."""
        try:
            return [*(self.ids[word] for word in words), EOS]
        except KeyError as error:
            raise ValueError(unknown(error.args[0], self.words)) from None

    def decode(self, ids):
        """Ids (a list or tensor) -> words, up to ``<eos>``, without ``<pad>``."""
        words = []
        for i in map(int, ids):
            if i == EOS:
                break
            if not 0 <= i < len(self):
                raise ValueError(f"ids are 0 to {len(self) - 1}, but {i} was given")
            if i != PAD:
                words.append(self.words[i])
        return tuple(words)


SOURCE = Vocabulary(ENGLISH)
TARGET = Vocabulary(KOREAN)


def pad(sequences):
    """Lists of ids -> one (B, T) LongTensor, filled up with ``<pad>`` on the right."""
    if not sequences:
        raise ValueError("an empty batch was given; it takes at least one sentence")
    length = max(map(len, sequences))
    return torch.tensor([ids + [PAD] * (length - len(ids)) for ids in sequences])


def tensors(pairs):
    """Pairs -> (x, context): target ids (B, T) and source ids (B, S), ``<eos>`` ended."""
    x = pad([TARGET.encode(pair.target) for pair in pairs])
    context = pad([SOURCE.encode(pair.source) for pair in pairs])
    return x, context


class Batches:
    """Random batches of pairs of similar length; ``batches(step)`` -> (x, context).

    The same ``step`` gives the same batch, whatever was drawn before. An epoch is
    ``len(batches)`` steps and uses every pair once; the next one is shuffled anew.
    """

    def __init__(self, pairs, size, seed=0):
        if size < 1:
            raise ValueError(f"a batch has at least one pair, but size={size}")
        self.x, self.context = tensors(pairs)
        self.lengths = [len(pair.target) + len(pair.source) for pair in pairs]
        self.size, self.seed = size, seed
        self._shuffled = None, None  # an epoch, and its batches of indices

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __call__(self, step):
        if step < 0:
            raise ValueError(f"steps count from 0, but step={step}")
        epoch, i = divmod(step, len(self))
        if self._shuffled[0] != epoch:
            self._shuffled = epoch, self._shuffle(epoch)
        rows = self._shuffled[1][i]
        return self._cut(self.x, rows), self._cut(self.context, rows)

    def _shuffle(self, epoch):
        rng = random.Random(f"{self.seed}/{epoch}")
        # Noise on the length: neighbours differ from epoch to epoch, padding stays small.
        keys = [length + 4 * rng.random() for length in self.lengths]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        batches = [order[i : i + self.size] for i in range(0, len(order), self.size)]
        return sorted(batches, key=lambda _: rng.random())

    @staticmethod
    def _cut(ids, rows):
        ids = ids[rows]  # (B, longest of all)
        return ids[:, : int((ids != PAD).sum(1).max())]  # (B, longest of these)
