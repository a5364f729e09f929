"""Measures, on cases small enough to work out by hand."""

import pytest
import torch

from lookback import evaluation
from lookback.models.recurrent import RecurrentLM


def test_nats_are_those_of_log_prob_whatever_the_batch():
    torch.manual_seed(0)
    model = RecurrentLM(3, embedding=4, hidden=5)
    x = torch.randint(3, (7, 4))
    expected = -model.log_prob(x).mean().item()
    for batch in (1, 3, 7, 100):
        assert evaluation.nats(model, x, batch=batch) == pytest.approx(expected)


def test_a_model_that_knows_nothing_costs_log_v_a_symbol():
    model = RecurrentLM(4, embedding=4, hidden=5)
    torch.nn.init.zeros_(model.out.weight)
    torch.nn.init.zeros_(model.out.bias)
    x = torch.zeros(2, 10, dtype=torch.long)
    assert evaluation.nats(model, x) == pytest.approx(10 * torch.tensor(4.0).log().item())


def test_exact_match_counts_whole_sentences():
    references = [("a", "b"), ("c",), ("d", "e")]
    assert evaluation.exact_match(references, references) == 1
    assert evaluation.exact([("a", "b"), ("c", "c"), ("e", "d")], references) == [
        True, False, False,
    ]  # fmt: skip
    assert evaluation.exact_match([["a", "b"], ["x"], ["x"]], references) == 1 / 3


def test_bleu_of_the_reference_is_100_and_of_other_words_0():
    reference = [tuple("abcdefgh"), tuple("hgfedcba")]
    assert evaluation.bleu(reference, reference) == pytest.approx(100)
    assert evaluation.bleu([tuple("ijklmnop")] * 2, reference) == pytest.approx(0)


def test_bleu_by_hand():
    # 5 of 6 words, 3 of 5 pairs, 1 of 4 triples, and smoothed 1 / (2 * 3) fours.
    found, reference = [tuple("abcdef")], [tuple("abcxef")]
    expected = 100 * (5 / 6 * 3 / 5 * 1 / 4 * 1 / 6) ** 0.25
    assert evaluation.bleu(found, reference) == pytest.approx(expected)


def test_means_by_band():
    values, lengths = [1.0, 0.0, 1.0, 1.0], [3, 5, 5, 12]
    assert evaluation.by_band(values, lengths, [3, 5]) == {3: 1.0, 5: 0.5}
    bands = [range(1, 6), range(6, 11), range(11, 21)]
    found = evaluation.by_band(values, lengths, bands)
    assert found == {bands[0]: pytest.approx(2 / 3), bands[2]: 1.0}


def test_alignment_error_rate():
    weights = [torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.4, 0.3, 0.3]])]
    assert evaluation.alignment_error_rate(weights, [[(0,), (2,), (0,)]]) == 0
    assert evaluation.alignment_error_rate(weights, [[(0,), (0, 2), ()]]) == 0
    found = evaluation.alignment_error_rate(weights, [[(1,), (2,), (2,)]])
    assert found == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="no target word"):
        evaluation.alignment_error_rate(weights, [[(), (), ()]])


@pytest.mark.parametrize("measure", [evaluation.exact_match, evaluation.bleu])
def test_lists_that_do_not_match_are_refused(measure):
    with pytest.raises(ValueError, match="got 1 and 2"):
        measure([("a",)], [("a",), ("b",)])
    with pytest.raises(ValueError, match="not empty"):
        measure([], [])


def test_a_word_without_weights_is_no_word_aligned():
    with pytest.raises(ValueError, match="4 target words need as many rows"):
        evaluation.alignment_error_rate([torch.eye(4)[:2]], [[{0}, {1}, {2}, {3}]])
