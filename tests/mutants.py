"""Plausible wrong answers: in a solution, what is replaced by what, and what is said.

For each exercise at least four: (old, new, words that the check's message must have).
"""

MUTANTS = {
    # chapter 1
    "last_state": [
        ("hidden[rows, lengths - 1]", "hidden[:, -1]", "padding"),
        ("lengths - 1", "(lengths).clamp(max=hidden.shape[1] - 1)", "off by one"),
        ("hidden[rows, lengths - 1]", "hidden[:, lengths[0] - 1]", "length of its own"),
        ("hidden[rows, lengths - 1]", "hidden[:, max(lengths) - 1]", "the largest"),
        ("hidden[rows, lengths - 1]", "hidden[:, lengths - 1]", "the shape is"),
        (
            "hidden[rows, lengths - 1]",
            "torch.stack([h[:n].mean(0) for h, n in zip(hidden, lengths)])",
            "mean",
        ),
    ],
    "heard": [
        ("torch.cat([first, x[:, :-1]], 1)", "x", "the answer is in the question"),
        ("[first, x[:, :-1]]", "[x[:, 1:], first]", "the wrong way"),
        ("x[:, :-1]", "x", "one too many"),
        ("torch.cat([first, x[:, :-1]], 1)", "torch.roll(x, 1, 1)", "roll"),
        (
            "return torch.cat([first, x[:, :-1]], 1)",
            "x[:, 0] = start\n    return x",
            "it changed x",
        ),
        ("[first, x[:, :-1]]", "[first, x[:, 1:]]", "have to move"),
    ],
    "lstm_cell": [
        ("o * new_c.tanh()", "o * new_c", "goes through a tanh before it is shown"),
        ("o * new_c.tanh()", "o * c.tanh()", "not the old one"),
        ("f * c + i * g", "i * c + f * g", "have changed places"),
        ('total["g"].tanh()', 'total["g"].sigmoid()', "no gate"),
        ("o * new_c.tanh(), new_c", "new_c, o * new_c.tanh()", "h comes first"),
        ("o * new_c.tanh()", "new_c.tanh()", "gate o is missing"),
        ("x @ W[k].T", "W[k] @ x", "raised RuntimeError"),
    ],
    "cho_gru": [
        ('(r * h) @ U["n"].T', 'r * (h @ U["n"].T)', "PyTorch's"),
        ("(1 - z) * n + z * h", "z * n + (1 - z) * h", "changed its side"),
        ("(r * h)", "h", "r is not used"),
        ("(1 - z) * n + z * h", "n", "old state is missing"),
        ("r, z = (", "z, r = (", "r and z have changed places"),
    ],
    "write": [
        ("step(word, state)", "step(None, state)", "does not hear"),
        ("logits, state = step", "logits, _ = step", "not handed on"),
        ("if word == eos:\n            break", "", "does not stop"),
        (
            "words.append(word)\n        if word == eos:\n            break",
            "if word == eos:\n            break\n        words.append(word)",
            "belongs to what was written",
        ),
        ("range(longest)", "range(longest + 1)", "one word too many"),
        ("range(longest)", "range(longest - 1)", "one word too few"),
        ("for _ in range(longest):", "while True:", "more than `longest`"),
    ],
    "jacobian_norm": [
        (
            "torch.autograd.functional.jacobian(lambda h: step(h, x_t), h) @ J",
            "J @ torch.autograd.functional.jacobian(lambda h: step(h, x_t), h)",
            "wrong order",
        ),
        ("matrix_norm(J, 2)", "matrix_norm(J)", "Frobenius"),
        (", h) @ J", ", h)", "last step alone"),
        ("        h = step(h, x_t)\n", "", "state has to move on"),
        ("h = step(h, x_t)", "h += 1", "it changed h"),
        (".item()", " ** 2", "instead of"),
    ],
}
