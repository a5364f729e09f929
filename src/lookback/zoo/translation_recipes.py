"""How each shipped translator is made. All learn the same sentences."""

from collections.abc import Callable

from lookback import decoding, evaluation
from lookback.autoregressive import Autoregressive
from lookback.data import translation
from lookback.data.vocabulary import SOURCE, TARGET, Batches, tensors
from lookback.models.attention_translator import AttentionTranslator
from lookback.models.encoder_decoder import EncoderDecoder
from lookback.models.transformer import TransformerTranslator
from lookback.zoo.recipe import Recipe, Task


def translation_task(size=60_000, batch=64, clauses=(1, 2, 3, 4, 5), tested=1000) -> Task:
    """English to Korean: train, choose and test on sentences that never overlap."""
    train = translation.corpus("train", size, seed=0, clauses=clauses)
    valid = tensors(translation.corpus("valid", tested // 2, seed=0, clauses=clauses))
    test = translation.corpus("test", tested, seed=0, clauses=clauses)
    return Task(
        draw=Batches(train, batch, seed=0),
        evaluate=lambda model: evaluation.nats(model, *valid),
        measure=lambda model: {"exact_match": exact_by_clauses(model, test)},
        data=f"{size:,} sentence pairs of {clauses[0]} to {clauses[-1]} clauses, "
        "lookback.data.translation, part train, seed 0",
    )


def exact_by_clauses(model: Autoregressive, pairs) -> dict[str, float]:
    """Share of greedy translations that are the reference, by number of clauses."""
    _, sources = tensors(pairs)
    found = evaluation.translate(model, sources, decoding.greedy, max_length=80)
    words = [TARGET.decode(hypothesis.tokens) for hypothesis in found]
    right = evaluation.exact(words, [pair.target for pair in pairs])
    counts = [pair.clauses for pair in pairs]
    bands = evaluation.by_band(right, counts, sorted(set(counts)))
    return {str(clauses): round(share, 3) for clauses, share in bands.items()}


def one_vector(**options) -> Callable[[], EncoderDecoder]:
    """The encoder-decoder of chapter 2."""
    return lambda: EncoderDecoder(len(SOURCE), len(TARGET), **options)


def attention(score: str, hidden: int = 272) -> Callable[[], AttentionTranslator]:
    """The same with attention; 272 hidden numbers, so that parameters compare."""
    return lambda: AttentionTranslator(
        len(SOURCE), len(TARGET), score=score, hidden=hidden, bidirectional=True
    )


def transformer() -> TransformerTranslator:
    """The Transformer of chapter 7, of as many parameters as the others, or near."""
    return TransformerTranslator(len(SOURCE), len(TARGET))


TRANSLATION = {"steps": 4000, "rate": 3e-3, "average": 0.998, "every": 500}

RECIPES: dict[str, Recipe] = {
    "one-vector": Recipe(one_vector(), translation_task, TRANSLATION),
    "one-vector-reversed": Recipe(
        one_vector(reverse=True), translation_task, TRANSLATION
    ),
    "attention-dot": Recipe(attention("dot"), translation_task, TRANSLATION),
    "attention-bilinear": Recipe(attention("bilinear"), translation_task, TRANSLATION),
    "attention-additive": Recipe(attention("additive"), translation_task, TRANSLATION),
    "attention-small": Recipe(
        attention("dot", 128), translation_task, TRANSLATION | {"rate": 7e-3}
    ),
    "transformer": Recipe(
        transformer, translation_task, TRANSLATION | {"rate": 2e-3, "warmup": 400}
    ),
}
