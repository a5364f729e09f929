"""The query, used as a reader would."""

import torch
from explorables import call
from playwright.sync_api import expect

from lookback import attention
from lookback.explore import Query


def test_arrows_move_the_query(mount):
    seen = mount(Query())
    says = seen.page.locator(".says")
    before = says.inner_text()
    seen.page.locator("svg").focus()
    seen.page.keyboard.press("ArrowLeft")
    expect(says).not_to_have_text(before)
    assert seen.faults == []


def test_weights_are_those_of_attend():
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(20, 1, 2, generator=generator)
    keys = torch.randn(20, 5, 2, generator=generator)
    inputs = [[q[0].tolist(), k.tolist(), 1.0] for q, k in zip(query, keys, strict=True)]
    found = torch.tensor(call("query", "look", inputs))
    _, weights = attention.attend(query, keys, keys, attention.dot)
    assert torch.allclose(found, weights[:, 0], atol=1e-3)
