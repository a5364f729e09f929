"""What looking back costs is measured right: memory, waiting, paths, crossing points."""

import json
import os
import subprocess
import sys

import pytest
import torch

from lookback.bench import command, cost
from lookback.bench.cost import SIZE, WAYS, Cost, crossings, peak


@pytest.mark.parametrize("name", WAYS)
def test_a_layer_keeps_the_shape_and_sees_no_future(name):
    torch.manual_seed(0)
    layer, x = WAYS[name].layer(), torch.randn(2, 70, SIZE)
    before = layer(x)
    assert before.shape == x.shape
    changed = x.clone()
    changed[:, 40] += 1
    moved = (layer(changed) - before).abs().amax((0, 2)) > 1e-7
    assert moved.nonzero()[0] == 40


def steps_in_turn(y):
    """The longest chain of operations between y and its leaves, by autograd's graph."""
    deepest, queue = {}, [(y.grad_fn, 1)]
    while queue:
        node, depth = queue.pop()
        if node is not None and depth > deepest.get(node, 0):
            deepest[node] = depth
            queue += [(after, depth + 1) for after, _ in node.next_functions]
    return max(deepest.values())


@pytest.mark.parametrize("name", WAYS)
def test_only_the_rnn_waits_longer_for_a_longer_sequence(name):
    way = WAYS[name]
    short, long = (steps_in_turn(way.layer()(torch.randn(1, T, SIZE))) for T in (40, 80))
    assert (way.waits(80) - way.waits(40) == 40) == (long - short >= 40)
    assert (way.waits(80) == way.waits(40)) == (long == short)


@pytest.mark.parametrize("name", set(WAYS) - {"RNN"})
def test_the_path_is_as_many_layers_as_the_last_needs_to_hear_of_the_first(name):
    torch.manual_seed(0)
    way, T = WAYS[name], 100
    layers = [way.layer().double() for _ in range(way.path(T))]
    x = torch.randn(1, T, SIZE, dtype=torch.double, requires_grad=True)
    for needed, stack in ((False, layers[1:]), (True, layers)):
        y = x
        for layer in stack:
            y = y + layer(y)
        (gradient,) = torch.autograd.grad(y[0, -1].sum(), x)
        assert (gradient[0, 0].abs().max() > 0) == needed


def test_memory_counts_what_lives_at_once():
    x = torch.zeros(1000)  # 4 bytes each

    def five_one_after_the_other():
        y = x
        for _ in range(5):
            y = y + 1  # the old and the new one live together

    assert peak(five_one_after_the_other) == 8000
    assert peak(lambda: [x + 1 for _ in range(5)]) == 20_000
    assert peak(lambda: x.view(10, 100).t()) == 0
    assert peak(lambda: (x + 1).view(10, 100).t()) == 4000


def test_memory_counts_what_is_kept_for_the_way_back():
    x = torch.zeros(1000, requires_grad=True)

    def kept():
        y = x.exp().exp().exp()
        (x.grad,) = torch.autograd.grad(y.sum(), x)

    with torch.no_grad():
        assert peak(lambda: x.exp().exp().exp()) == 8000
    assert 12_000 < peak(kept) <= 20_100


GROWN = """
from lookback.bench import cost

def highest():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000

def both(length):
    return cost.measure("attention", length, times=1).megabytes, highest()

(counted, seen), (more_counted, more_seen) = both(512), both(2048)
print(more_counted - counted, more_seen - seen)
"""
# So that the C library gives all memory back at once, as it does for large tensors.
HONEST = {"MALLOC_MMAP_THRESHOLD_": "100000", "MALLOC_TRIM_THRESHOLD_": "100000"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's memory in /proc")
def test_memory_is_what_the_system_sees():
    done = subprocess.run(
        [sys.executable, "-c", GROWN], env={**os.environ, **HONEST},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    counted, seen = map(float, done.stdout.split())
    assert counted == pytest.approx(seen, rel=0.1)


def test_only_attention_that_stores_its_weights_grows_with_the_square():
    def growth(name):
        short, long = (cost.measure(name, T, times=1).megabytes for T in (512, 2048))
        return long / short

    grown = {name: growth(name) for name in WAYS}
    assert grown.pop("attention") > 12
    assert max(grown.values()) < 4.5


def test_a_cost_has_all_that_was_promised():
    (found,) = cost.by_length([64], ["local attention"], times=1)
    assert (found.name, found.length) == ("local attention", 64)
    assert 0 < found.seconds < 10
    assert 0.05 < found.megabytes < 1
    assert (found.waits, found.path) == (1, 3)
    with pytest.raises(ValueError, match="unknown way 'telepathy': choose one of RNN, "):
        cost.measure("telepathy", 64)


def test_curves_cross_where_they_are_equal():
    def costs(name, seconds):
        return [Cost(name, T, seconds(T), 1.0, 1, 1) for T in (10, 100, 1000)]

    found = costs("square", lambda T: T**2) + costs("line", lambda T: 300 * T)
    assert crossings(found, "square", "line") == [300]
    assert crossings(found, "line", "square") == [300]
    assert crossings(found, "square", "line", "megabytes") == []


def test_the_benchmark_names_the_crossing_points(monkeypatch, capsys):
    def costs():
        for T in (64, 4096):
            yield from (Cost(n, T, 1.0, 1.0, 1, 1) for n in WAYS if n != "attention")
            yield Cost("attention", T, (T / 512) ** 2, 2.0, 1, 1)

    monkeypatch.setattr(cost, "by_length", lambda: [*costs()])
    rows = cost.measure_cost()
    named = {row.name: row.length for row in rows[10:]}
    assert named["RNN = attention in seconds"] == 512
    assert len(named) == 4
    assert command.main(["cost", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in printed] == [row.name for row in rows]
    assert command.main(["cost"]) == 0
    assert capsys.readouterr().out.split()[:3] == ["name", "length", "seconds"]
