"""The benchmarks: what they compare is the same, and what they print can be read."""

import json

import pytest
import torch

from lookback.bench import command, decoding
from lookback.bench.race import Row, at_least, at_most, race
from lookback.decoding import beam
from lookback.models.encoder_decoder import EncoderDecoder

ROWS = [
    Row("one", 0.5),
    at_most("two / one", 0.75, 1.5, 2),
    at_least("three / one", 10.0, 20.0, 25),
]


@pytest.mark.parametrize("seed", range(5))
def test_the_loop_finds_what_the_beam_finds(seed):
    torch.manual_seed(seed)
    model = EncoderDecoder(9, 8, embedding=4, hidden=6).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    source = torch.randint(2, 9, (4, 5))
    found = beam(model, source, width=3, min_length=6, max_length=6)
    slow = decoding.loop(model, source, width=3, length=6)
    assert [h.tokens for h in found] == [h.tokens for h in slow]
    assert [h.log_prob for h in found] == pytest.approx([h.log_prob for h in slow])
    decoding.same(found, slow)
    with pytest.raises(RuntimeError, match="must be the same"):
        decoding.same(found, slow[::-1])


def test_a_promise_is_kept_or_not():
    assert [row.ok for row in ROWS] == [None, True, False]
    assert at_most("a", 1.0, 2.0, 2).ok
    assert at_least("a", 1.0, 2.0, 2).ok


def test_a_race_takes_the_fastest_run_of_each():
    calls = []
    found = race({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert calls == ["a", "b"] * 3
    assert all(0 <= seconds < 1 for seconds in found.values())


def test_rows_are_printed_as_a_table_or_as_json(capsys, monkeypatch):
    monkeypatch.setitem(command.BENCHES, "decoding", lambda: ROWS)
    threads = torch.get_num_threads()
    assert command.main(["decoding"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["name", "seconds", "ratio", "floor", "ok"]
    assert printed[2].split() == [
        "two",
        "/",
        "one,",
        "at",
        "most",
        "0.75",
        "1.5",
        "2",
        "yes",
    ]
    assert command.main(["decoding", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert rows[0] == {
        "name": "one", "seconds": 0.5, "ratio": None, "floor": None, "ok": None
    }  # fmt: skip
    assert rows[2]["ok"] is False
    monkeypatch.setitem(command.BENCHES, "decoding", lambda: ROWS[:2])
    assert command.main(["decoding"]) == 0
    assert torch.get_num_threads() == threads


def test_an_unknown_benchmark_is_named(capsys):
    with pytest.raises(SystemExit):
        command.main(["decodign"])
    assert "decoding" in capsys.readouterr().err


def test_the_sentences_are_long_enough():
    source = decoding.sentences(8, 40)
    assert source.shape[0] == 8
    assert (source != 0).sum(1).min() > 30
