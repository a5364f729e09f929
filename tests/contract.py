"""The promises of `lookback.autoregressive`, as functions that try one model.

`test_contract.py` runs them on every registered model, and again on every shipped weight
file. Weights are randomised here where they start at zero, so that no promise is kept
merely because a branch is silent.
"""

import itertools

import torch

from lookback.autoregressive import Autoregressive, map_state, reorder


def loud(model: Autoregressive, seed: int = 0) -> Autoregressive:
    """The model with every parameter nudged away from zero, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.double)
            parameter.add_(0.2 * noise)
    return model


def sequences(model: Autoregressive, batch: int, length: int = 7, seed: int = 0):
    """Random symbols (B, T), none of them padding."""
    generator = torch.Generator().manual_seed(seed)
    low = 0 if model.pad is None else 1
    shape = (batch, model.length or length)
    return torch.randint(low, model.vocabulary, shape, generator=generator)


def contexts(model: Autoregressive, kind: str | None, batch: int, seed: int = 0):
    """Random contexts of the kind a model needs; sources differ in length."""
    generator = torch.Generator().manual_seed(seed + 1)
    if kind is None:
        return None
    if kind == "label":
        return torch.randint(model.config["classes"], (batch,), generator=generator)
    source = torch.randint(
        2, model.config["source_vocabulary"], (batch, 6), generator=generator
    )
    for row in range(batch):
        words = 1 + (row + 2) % 6  # 3, 4, 5, 6, 1, ...
        source[row, words:] = 0
    return source


def check_causality(model, kind, places=range(7)):
    """(a) Changing x_j moves no logit at i <= j."""
    x = sequences(model, 3)
    context = contexts(model, kind, 3)
    before = model.logits(x, context)
    for j in places:
        changed = x.clone()
        changed[:, j] = other(model, x[:, j])
        after = model.logits(changed, context)
        torch.testing.assert_close(
            after[:, : j + 1], before[:, : j + 1], rtol=0, atol=1e-6
        )


def check_reach(model, kind, sources=range(7)):
    """(b) Changing x_j moves the logits at exactly those i > j that the model claims."""
    x = sequences(model, 4)
    context = contexts(model, kind, 4)
    before = model.logits(x, context)
    for j in sources:
        changed = x.clone()
        changed[:, j] = other(model, x[:, j])
        moved = (model.logits(changed, context) - before).nan_to_num().abs()
        found = moved.amax((0, 2)) > 1e-9
        for i in range(x.shape[1]):
            assert bool(found[i]) == model.reaches(j, i), (
                f"x_{j} {'moves' if found[i] else 'does not move'} the logits at {i}, "
                f"but reaches({j}, {i}) is {model.reaches(j, i)}"
            )


def check_step(model, kind, tolerance=1e-4, symbols=None):
    """(c) `step` agrees with `logits`, and leaves the state it was given alone."""
    x = sequences(model, 3)
    context = contexts(model, kind, 3)
    expected = model.logits(x, context)
    state, previous = model.start(3, context), None
    for t in range(symbols or x.shape[1]):
        kept = map_state(torch.clone, state)
        found, new = model.step(previous, state)
        torch.testing.assert_close(found, expected[:, t], rtol=0, atol=tolerance)
        assert_same(state, kept)
        state, previous = new, x[:, t]


def check_total(model, kind):
    """(d) The probabilities of all sequences sum to one."""
    for row in range(2):
        context = contexts(model, kind, 2)
        context = None if context is None else context[row : row + 1]
        x = every_sequence(model, length=model.length or 4)
        total = 0.0
        for part in x.split(4096):
            repeated = None if context is None else context.expand(len(part), -1)
            if kind == "label":
                repeated = context.expand(len(part))
            total += model.log_prob(part, repeated).exp().sum().item()
        assert abs(total - 1) < 1e-9


def check_batch_order(model, kind):
    """(e) The order of the batch does not matter, nor does what else is in it."""
    x, context = sequences(model, 4), contexts(model, kind, 4)
    whole = model.logits(x, context)
    order = torch.tensor([2, 0, 3, 1])
    mixed = None if context is None else context[order]
    torch.testing.assert_close(model.logits(x[order], mixed), whole[order])
    for row in range(4):
        alone = None if context is None else context[row : row + 1]
        torch.testing.assert_close(model.logits(x[row : row + 1], alone)[0], whole[row])


def check_reorder(model, kind):
    """A decoder may copy and drop rows of a state."""
    x, context = sequences(model, 4), contexts(model, kind, 4)
    index = torch.tensor([3, 3, 0])
    state = model.start(4, context)
    _, state = model.step(None, state)
    expected, _ = model.step(x[:, 0], state)
    found, _ = model.step(x[index, 0], reorder(state, index))
    torch.testing.assert_close(found, expected[index])


def check_shared(model, kind):
    """Three prefixes of a sentence may share what the model says they can."""
    x, index = sequences(model, 6), torch.tensor([0, 0, 0, 1, 1, 1])
    few = model.start(2, contexts(model, kind, 2))
    copied = reorder(few, index)
    state = {**copied, **{name: few[name] for name in model.shared}}
    for t in range(3):
        previous = x[:, t - 1] if t else None
        expected, copied = model.step(previous, copied)
        found, state = model.step(previous, state)
        torch.testing.assert_close(found, expected)
        assert all(state[name] is few[name] for name in model.shared)


def other(model, symbols):
    """For each symbol another one, never the padding."""
    low = 0 if model.pad is None else 1
    return (symbols - low + 1) % (model.vocabulary - low) + low


def every_sequence(model, length):
    """All sequences of `length` symbols; where there is an end, nothing follows it."""
    rows = itertools.product(range(model.vocabulary), repeat=length)
    if model.eos is None:
        return torch.tensor(list(rows))
    return torch.tensor([row for row in rows if ends_well(row, model.pad, model.eos)])


def ends_well(row, pad, eos):
    """No padding, or padding exactly from the end of the sequence on."""
    end = row.index(eos) + 1 if eos in row else len(row)
    return pad not in row[:end] and all(symbol == pad for symbol in row[end:])


def assert_same(state, kept):
    """Two states hold the same numbers."""
    if isinstance(state, torch.Tensor):
        assert torch.equal(state, kept), "step changed the state it was given"
    elif isinstance(state, dict):
        for name in state:
            assert_same(state[name], kept[name])
    elif state is not None:
        for one, two in zip(state, kept, strict=True):
            assert_same(one, two)
