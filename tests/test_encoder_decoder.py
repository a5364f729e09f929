"""What the contract does not ask of the encoder-decoder."""

import pytest
import torch

from lookback.models.encoder_decoder import EncoderDecoder, reverse


def test_reverse_leaves_the_padding_where_it_was():
    source = torch.tensor([[5, 6, 7, 1, 0], [4, 1, 0, 0, 0]])
    found = reverse(source, torch.tensor([4, 2]))
    assert found.tolist() == [[1, 7, 6, 5, 0], [1, 4, 0, 0, 0]]


def test_the_vector_is_the_last_state_of_each_direction():
    torch.manual_seed(0)
    model = EncoderDecoder(9, 4, embedding=5, hidden=8, bidirectional=True)
    source = torch.tensor([[5, 6, 7, 1, 0], [4, 1, 0, 0, 0]])
    memory = model.encode(source)
    for row, words in enumerate((4, 2)):
        forwards = memory["states"][row, words - 1, :4]
        backwards = memory["states"][row, 0, 4:]
        torch.testing.assert_close(
            memory["vector"][row], torch.cat([forwards, backwards])
        )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "needs a source"),
        (torch.tensor([[0, 0]]), "words followed by padding"),
        (torch.tensor([[3, 0, 4]]), "words followed by padding"),
        (torch.tensor([[3, 9]]), r"0 .. 8"),
    ],
)
def test_bad_sources_are_refused(source, message):
    model = EncoderDecoder(9, 4, embedding=5, hidden=8)
    with pytest.raises(ValueError, match=message):
        model.logits(torch.tensor([[2, 1]]), source)


def test_an_odd_size_cannot_be_shared_by_two_directions():
    with pytest.raises(ValueError, match="7 is odd"):
        EncoderDecoder(9, 4, embedding=5, hidden=7, bidirectional=True)
