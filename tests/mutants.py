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
        ("hidden[rows, lengths - 1]", "hidden[:, lengths - 1]", "pair them"),
        ("lengths - 1]", "lengths - 1, None]", "axis of time"),
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
        ("[first, x[:, :-1]]", "[first.float(), x[:, :-1]]", "whole numbers"),
        (
            "torch.cat([first, x[:, :-1]], 1)",
            "torch.cat([torch.full_like(x[:1], start), x[:-1]], 0)",
            "time is axis 1",
        ),
    ],
    "lstm_cell": [
        ("o * new_c.tanh()", "o * new_c", "goes through a tanh before it is shown"),
        ("o * new_c.tanh()", "o * c.tanh()", "not the old one"),
        ("f * c + i * g", "i * c + f * g", "have changed places"),
        ('total["g"].tanh()', 'total["g"].sigmoid()', "no gate"),
        ("o * new_c.tanh(), new_c", "new_c, o * new_c.tanh()", "h comes first"),
        ("o * new_c.tanh()", "new_c.tanh()", "gate o is missing"),
        ("o * new_c.tanh(), new_c", "o * new_c.tanh()", "c is missing"),
        ("x @ W[k].T", "W[k] @ x", "`x @ W.T`"),
    ],
    "cho_gru": [
        ('(r * h) @ U["n"].T', 'r * (h @ U["n"].T)', "PyTorch's"),
        ("(1 - z) * n + z * h", "z * n + (1 - z) * h", "changed its side"),
        (
            '(r * h) @ U["n"].T + b["n"]',
            'r * (h @ U["n"].T + b["n"])',
            "the bias is added after",
        ),
        ('x @ W["n"].T', 'x @ W["n"]', "`x @ W.T`"),
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
        (
            "logits.argmax()",
            "logits.softmax(-1).multinomial(1)",
            "do not draw",
        ),
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
        ("for x_t in x:", "for x_t in x[-1:]:", "at the first state"),
        ("torch.linalg.matrix_norm(J, 2).item()", "J", "Jacobian itself"),
        (
            "torch.linalg.matrix_norm(J, 2)",
            "torch.linalg.eigvals(J).abs().max()",
            "eigenvalue",
        ),
    ],
    # chapter 2
    "mean_vector": [
        ("(states * words).sum(1) / words.sum(1)", "states.mean(1)", "counts as words"),
        ("/ words.sum(1)", "/ source.shape[1]", "all S positions"),
        ("(states * words).sum", "states.sum", "it is in the sum"),
        (" / words.sum(1)", "", "that is the sum"),
        ("/ words.sum(1)", "/ words.sum()", "whole batch"),
        ("(source != PAD)", "(source == PAD)", "mean of the padding"),
        ("words.sum(1)  #", "words.sum((1, 2))  #", "a second axis"),
        (
            "(states * words).sum(1) / words.sum(1)",
            "states[source != PAD].mean(0)",
            "one vector for the whole batch",
        ),
    ],
    "reverse_words": [
        ("n - 1 - place, place", "source.shape[1] - 1 - place, place", "count from S"),
        (
            "torch.where(place < n, n - 1 - place, place)",
            "place.flip(1)",
            "come to the front",
        ),
        (
            "return source.gather",
            "return source\n    source.gather",
            "nothing was reversed",
        ),
        (
            "place < n, n - 1 - place",
            "place < n - 1, n - 2 - place",
            "the last word stayed",
        ),
        (
            "n - 1 - place, place",
            "(n - place).clamp(max=source.shape[1] - 1), place",
            "off by one",
        ),
        (
            "return source.gather",
            "for row in source: row[row != 0] = row[row != 0].flip(0)\n"
            "    return source.gather",
            "it changed source",
        ),
        (
            "source.gather(1, torch.where(place < n, n - 1 - place, place))",
            "source.flip(0)",
            "reverses the batch",
        ),
        (
            "n = (source != PAD).sum(1, keepdim=True)",
            "n = (source != PAD).sum(1)[:1, None]",
            "first sentence for all",
        ),
    ],
    "word_loss": [
        ("each[target != PAD].mean()", "each.mean()", "padding was scored"),
        (
            "each[target != PAD].mean()",
            "(each * (target != PAD)).mean()",
            "it is counted",
        ),
        ("-scores.gather", "scores.gather", "the sign"),
        ("logits.log_softmax(-1)", "logits", "no log-probabilities"),
        (
            "each[target != PAD].mean()",
            "each[target != PAD].sum() / len(target)",
            "per sentence",
        ),
        ("log_softmax(-1)", "log_softmax(1)", "wrong axis"),
        ("log_softmax(-1)", "softmax(-1)", "logarithm is missing"),
        (
            "each[target != PAD].mean()",
            "torch.stack([e[t != PAD].mean() for e, t in zip(each, target)]).mean()",
            "every word counts the same",
        ),
    ],
    "told": [
        (
            "right[words].float().mean().item(), whole",
            "right.float().mean().item(), whole",
            "counts as a word",
        ),
        ("(right | ~words).all(1)", "right.all(1)", "must not spoil"),
        ("(right | ~words).all(1)", "(right & words).any(1)", "not if one is"),
        ("right[words]", "(right | ~words)", "counts as a right one"),
        (
            "return right[words].float().mean().item(), whole.float().mean().item()",
            "return whole.float().mean().item(), right[words].float().mean().item()",
            "words first",
        ),
        (
            "words = logits.argmax(-1) == target, target != PAD",
            "words = logits.argmax(-1) == target, target == target",
            "padding counts",
        ),
        (
            "right[words].float().mean().item(), whole",
            "((right & words).sum(1) / words.sum(1)).mean().item(), whole",
            "the sentences' shares",
        ),
        (
            "right[words].float().mean().item(), whole.float().mean().item()",
            "right[words].float().mean().item()",
            "two numbers",
        ),
    ],
    "exact_by_length": [
        ("if right else None", "if right else float('nan')", "not NaN"),
        ("low <= n <= high", "low <= n < high", "the upper one"),
        ("low <= n <= high", "low < n <= high", "the lower one"),
        ("if low <= n", "if low <= len(w)", "length of the target"),
        ("else None", "else 0.0", "nothing is known"),
        ("/ len(right)", "/ len(found)", "of the band"),
        (" if right else None", "", "nothing to divide by"),
        ("if low <= n", "if low <= len(f)", "length of what was found"),
        ("f == w", "sorted(f) == sorted(w)", "another order"),
        ("f == w", "all(a == b for a, b in zip(f, w))", "`zip` stops"),
        ("f == w", "sum(a == b for a, b in zip(f, w)) / len(w)", "share of the words"),
    ],
    "probe": [
        ("words.mode()", "truth.mode()", "fitted on"),
        (
            "(X_new @ W).argmax(-1) == truth",
            "(X @ W).argmax(-1) == words",
            "not fitted on",
        ),
        (
            "for v in (vectors, new))",
            "for v in (vectors, new))\n    X, X_new = vectors, new",
            "no 1 at the end",
        ),
        (
            "guessed = words.mode().values == truth",
            "guessed = torch.ones(1) / V",
            "not chance",
        ),
        (
            "words.mode().values == truth",
            "words.mode().values == words",
            "asked about the new",
        ),
        ("1e-5", "1.0", "yours is larger"),
        (
            "return read.double().mean().item(), guessed.double().mean().item()",
            "return guessed.double().mean().item(), read.double().mean().item()",
            "reads first",
        ),
        (
            "(v, (0, 1), value=1.0) for v in (vectors, new)",
            "(v, (0, 1), value=1.0) for v in (new, new)",
            "raised RuntimeError",
        ),
        (".to(X.dtype)", "", "are double"),
    ],
    # chapter 3
    "greedy_and_best": [
        ('best("(start)")[1][:-1]', "greedy[:-1]", "not always the greedy one"),
        (
            'greedy[:-1], best("(start)")[1][:-1]',
            'best("(start)")[1][:-1], greedy[:-1]',
            "greedy first",
        ),
        ("return max(ways)", "return min(ways)", "unlikeliest"),
        (
            'greedy[:-1], best("(start)")[1][:-1]',
            'greedy, best("(start)")[1]',
            "end mark",
        ),
        (
            "return max(ways)",
            "return max(ways, key=lambda w: (len(w[1]), w[0]))",
            "longest",
        ),
        ("(p * best(w)[0]", "(p", "not always the greedy one"),
        ("(p * best(w)[0]", "(p + best(w)[0]", "multiplied, not added"),
    ],
    "winner": [
        ("/ length**alpha", "", "not used"),
        ("/ length**alpha", "* length**alpha", "the sign"),
        ("max(scores)", "min(scores)", "closest to zero"),
        ("length**alpha", "length", "whatever α is"),
        ("length**alpha", "(alpha * length or 1)", "an exponent"),
        ("log_prob / length**alpha", "length", "length alone"),
        ("scores.index(max(scores))", "max(scores)", "its place in the list"),
    ],
    "beam": [
        ("[:width]", "[:1]", "greedy search"),
        ("h[0] / len(h[1]) ** alpha", "h[0]", "α is not used"),
        ("/ len(h[1]) ** alpha", "* len(h[1]) ** alpha", "the sign of α"),
        ("if h[1][-1] != eos]", "]", "not continued"),
        ("range(longest)", "range(max(longest - 1, 1))", "off by one"),
        ("range(longest)", "range(longest + 1)", "one symbol too many"),
        (
            "if h[1][-1] != eos]",
            "if h[1][-1] != eos]\n        if done: break",
            "does not end the search",
        ),
        (
            "if h[1][-1] != eos]",
            "if h[1][-1] != eos]\n"
            "        if done and live and max(done) >= max(live): break",
            "go on while anything lives",
        ),
        ("max(done + live,", "max(done or live,", "still alive"),
        (
            "/ len(h[1]) ** alpha",
            "/ max(len(h[1]) - (h[1][-1] == eos), 1) ** alpha",
            "counts in the length",
        ),
        (
            "live = [h for h in kept if h[1][-1] != eos]",
            "live = [h for h in sorted(grown)[::-1] if h[1][-1] != eos][:width]",
            "filled up again",
        ),
        ("** alpha)[1]", "** alpha)[1][:-1]", "cut off"),
        (
            "return max(done + live, key=lambda h: h[0] / len(h[1]) ** alpha)[1]",
            "best = max(done + live, key=lambda h: h[0] / len(h[1]) ** alpha)[1]\n"
            "    return tuple(word for word in best if word != eos)",
            "the end symbol belongs",
        ),
        ("[:width]", "[:width - len(done)]", "takes no place"),
        ("sorted(grown, reverse=True)", "sorted(grown)", "likeliest are kept"),
    ],
    "exact": [
        (
            "heapq.heappush(waiting, (cost - p, (*tokens, word)))",
            "heapq.heappush(waiting, (cost - p, (*tokens, word)))\n"
            "        waiting = waiting[:1]",
            "greedy sentence",
        ),
        ("return tokens, -cost", "return tokens, cost", "the sign"),
        ("return tokens, -cost", "return tokens[:-1], -cost", "belongs to the tokens"),
        (
            "return tokens, -cost",
            "return tokens, 2.718281828459 ** -cost",
            "not its probability",
        ),
        ("cost - p", "cost + p", "push minus"),
        (
            "            heapq.heappush",
            "            if word == eos: return (*tokens, word), p - cost\n"
            "            heapq.heappush",
            "to have *put*",
        ),
        (
            "word)))\n    cost",
            "word)))\n        waiting = heapq.nsmallest(300, waiting)\n    cost",
            "however wide",
        ),
        ("return tokens, -cost", "return tokens", "two are asked for"),
        ("return tokens, -cost", "return -cost, tokens", "tokens first"),
        ("(cost - p, (*tokens, word))", "(-p, (*tokens, word))", "the sum of all"),
    ],
    "verdict": [
        ("log_reference > log_found", "log_reference < log_found", "the other way round"),
        ("if found == reference:", "if False:", "nobody is to blame"),
        (
            '"search" if log_reference > log_found else "model"',
            '"search"',
            "to blame only if",
        ),
        (
            '"search" if log_reference > log_found else "model"',
            '"model"',
            "to blame only if",
        ),
        (
            "if found == reference:",
            "if log_found == log_reference:",
            "compare the tokens",
        ),
        ("> log_found", ">= log_found", "equally likely"),
        ("log_reference > log_found", "not log_reference > log_found", "no search error"),
    ],
    "nucleus": [
        ("before < total", "before <= total", "reached exactly"),
        (
            "before = values.cumsum(0) - values",
            "before = values.cumsum(0)",
            "one word too few",
        ),
        (" / kept.sum()", "", "sum to one again"),
        ("kept[places] =", "kept[:] =", "in their places"),
        ("descending=True", "descending=False", "not the unlikeliest"),
        ("values * (before < total)", "values * (values >= total)", "limit for each"),
        ("kept / kept.sum()", "kept.softmax(0)", "a softmax gives"),
        (
            "p.sort(descending=True)",
            "p, torch.arange(len(p))",
            "not the first in the list",
        ),
        (
            "before < total",
            "torch.cat([before[:1], before[:-1]]) < total",
            "one word too many",
        ),
    ],
    # chapter 4
    "bits_per_pixel": [
        ("/ math.log(2)", "* math.log(2)", "divide by ln 2"),
        ("/ math.log(2) ", "", "nats per pixel"),
        (" / (height * width)", "", "bits per image"),
        ("nats / math.log(2)", "math.log2(nats)", "a logarithm already"),
        ("height * width", "height + width", "height times width"),
        ("(height * width)", "height * width", "put brackets"),
    ],
    "to_sequence": [
        (".permute(0, 2, 3, 1)", "", "belong together"),
        ("(0, 2, 3, 1)", "(0, 3, 2, 1)", "column by column"),
        ("images.permute", "images.flip(1).permute", "begin with blue"),
        ("(0, 2, 3, 1)", "(0, 2, 1, 3)", "all its reds"),
        ("flatten(1)", "flatten()", "the batch stays"),
        ("flatten(1)", "flatten(2)", "the shape is"),
        ("flatten(1)", "view(len(images), -1)", "not `view`"),
    ],
    "where": [
        ("[row, column]", "[column, row]", "row comes first"),
        (
            "t // width, height",
            "(t // height).clamp(max=height - 1), height",
            "the row is t // width",
        ),
        (
            "F.one_hot(t // width, height), F.one_hot(t % width, width)",
            "F.one_hot(t // height), F.one_hot(t % height)",
            "divided by the height",
        ),
        (
            "F.one_hot(t // width, height), F.one_hot(t % width, width)",
            "F.one_hot(t % height, height), F.one_hot(t // height, width)",
            "down the columns",
        ),
        (
            "F.one_hot(t // width, height), F.one_hot(t % width, width)",
            "t[:, None] // width, t[:, None] % width",
            "not one-hot",
        ),
        ("torch.cat([row, column], 1)", "F.one_hot(t)", "one place in the sequence"),
        ("arange(height * width)", "arange(height + width)", "one row for each pixel"),
        ("torch.cat([row, column], 1)", "torch.cat([row, column], 1).T", "transposed"),
    ],
    "influence": [
        (".abs().mean(0)", ".mean(0)", "cancel out"),
        (".abs().mean(0)", ".mean(0).abs()", "not after it"),
        (".mean(0)", ".sum(0)", "yours is a sum"),
        (".diff(dim=1)", "[:, 1]", "only the logit of ink"),
        (
            "logits(pixels)[:, t].diff(dim=1)",
            "logits(pixels).diff(dim=2)",
            "all predictions",
        ),
        (".abs().mean(0)", "[0].abs()", "first picture"),
        ("[:, t]", "[:, t - 1]", "the one before"),
        ("odds.sum()", "odds.mean()", "taken twice"),
        ("x.float()", "x", "only floats"),
        (
            "    odds = logits(pixels)[:, t].diff(dim=1)  # (B, 1)\n"
            "    odds.sum().backward()\n"
            "    return pixels.grad",
            "    odds = lambda p: logits(p)[:, t].diff(dim=1)[:, 0]\n"
            "    turn = lambda s: (torch.arange(x.shape[1]) == s).float()\n"
            "    over = [(turn(s) - pixels).abs() for s in range(x.shape[1])]\n"
            "    return torch.stack([odds(p) - odds(pixels) for p in over], 1)",
            "turning pixels over",
        ),
        (
            "logits(pixels)[:, t].diff(dim=1)",
            "logits(pixels)[:, t].softmax(-1)[:, 1]",
            "gradient of the probability",
        ),
    ],
    "made_masks": [
        ("order.argsort() + 1", "order + 1", "its inverse"),
        ("order.argsort() + 1", "torch.arange(len(order)) + 1", "not used"),
        ("(place - 1)[:, None]", "place[:, None]", "its own pixel"),
        (
            "hidden[:, None] >= place",
            "hidden[:, None] > place",
            "equal degrees may pass: a unit",
        ),
        (
            "(place - 1)[:, None] >= hidden",
            "(place - 1)[:, None] > hidden",
            "out of the hidden",
        ),
        (">=", ">", "in both masks"),
        ("order.argsort() + 1", "order.argsort()", "counts from 0"),
        (
            "(place - 1)[:, None]",
            "torch.arange(len(order))[:, None]",
            "in the order of drawing",
        ),
        ("return into, out", "return into.T, out.T", "transposed"),
        ("return into, out", "return ~into, ~out", "other way round"),
        ("return into, out", "return into.float(), out.float()", "the type is"),
    ],
    "nearest": [
        ("amin(1)", "amax(1)", "farthest"),
        ("amin(1)", "float().mean(1)", "mean over"),
        ("!=", "==", "that agree"),
        (".sum(2)", ".float().mean(2)", "share of the pixels"),
        ("differ.amin(1)", "differ.diagonal()", "compare it with all"),
        ("differ.amin(1)", "differ.min(1)", "`.values`"),
        (
            "(samples[:, None] != training[None])",
            "(samples[:, None] > training[None])",
            "only ink",
        ),
        ("amin(1)", "amin(0)", "one number a sample"),
        ("amin(1)", "argmin(1)", "not how far"),
        ("amin(1)", "amin(1).sqrt()", "square root"),
    ],
    # chapter 5
    "mask": [
        ('kind == "B"', 'kind == "A"', "changed places"),
        (
            'place <= centre if kind == "B" else place < centre',
            "place <= centre",
            "A leaves out",
        ),
        (
            'place <= centre if kind == "B" else place < centre',
            "place < centre",
            "B has the centre",
        ),
        (
            'place <= centre if kind == "B" else place < centre',
            'place > centre if kind == "B" else place >= centre',
            "other way round",
        ),
        (
            'return place <= centre if kind == "B" else place < centre',
            "row = place >= height // 2 * width\n"
            '    return row & (place <= centre if kind == "B" else place < centre)',
            "rows above are missing",
        ),
        (".view(height, width)", ".view(width, height).T", "column by column"),
        (".view(height, width)", ".view(height, width).flip(0, 1)", "turned round"),
        (
            'return place <= centre if kind == "B" else place < centre',
            "seen = torch.ones(height, width, dtype=torch.bool)\n"
            '    return seen.tril(0 if kind == "B" else -1)',
            "a triangle",
        ),
        ("return place <= centre", "return 1.0 * (place <= centre)", "the type is"),
    ],
    "blind_spot": [
        ("== 0)", "<= 0)", "may be negative"),
        ("== 0", "!= 0", "it does see"),
        ("(place < row * side + column) & ", "", "later pixels"),
        ("place < row", "place <= row", "itself is not earlier"),
        (".square()", "", "cancelled out"),
        ("row, column = here", "column, row = here", "`here` is row, then column"),
        ("[0, :, row, column]", "[0, :, column, row]", "the features the other way"),
        ("[0, :, row, column]", "[0, 0, row, column]", "you asked one alone"),
        ("torch.full((1, 1, side, side), 0.1)", "torch.zeros(1, 1, side, side)", "zeros"),
        (
            "(x.grad[0, 0] == 0)",
            "(place % side - column > row - place // side)",
            "a blind spot of its own",
        ),
        ("+ column) &", ") &", "not only the rows above"),
        (
            "(place < row * side + column)",
            "(place < row * side + column) & (place % side <= column)",
            "above, anywhere",
        ),
    ],
    "one_output": [
        ("(kernel * window)", "(kernel.flip(2, 3) * window)", "upside down"),
        (
            "F.pad(features, (1, 1, 1, 1))",
            "F.pad(features, (0, 2, 0, 2))",
            "not its corner",
        ),
        (
            "F.pad(features, (1, 1, 1, 1))",
            'F.pad(features[None], (1, 1, 1, 1), mode="circular")[0]',
            "other side",
        ),
        ("(kernel * window)", "(kernel.transpose(2, 3) * window)", "rows and columns"),
        (
            "(kernel * window).sum((1, 2, 3))",
            "(kernel * window)[:, 0].sum((1, 2))",
            "only the first",
        ),
        (
            "(kernel * window).sum((1, 2, 3))",
            "kernel[:, :, 1, 1] @ window[:, 1, 1]",
            "only the centre",
        ),
        ("around = F.pad(features, (1, 1, 1, 1))", "around = features", "no border"),
        ("F.pad(features, (1, 1, 1, 1))", "F.pad(features, (2, 0, 2, 0))", "by one"),
        (
            "row : row + 3, column : column + 3",
            "column : column + 3, row : row + 3",
            "row and column",
        ),
        (
            "around = F.pad(features, (1, 1, 1, 1))  # (C, H + 2, W + 2)\n"
            "    window = around[:, row : row + 3, column : column + 3]",
            "window = features[:, row - 1 : row + 2, column - 1 : column + 2]",
            "a border of zeros around it",
        ),
        (
            "return (kernel * window).sum((1, 2, 3))",
            "return F.conv2d(features[None], kernel, padding=1)[0, :, row, column]",
            "nine places only",
        ),
    ],
    "gated": [
        ("x + table[labels][..., None, None]", "x", "label is not used"),
        ("value, gate =", "gate, value =", "tanh for the first half"),
        ("table[labels]", "table[labels[:1]]", "you used the first"),
        ("told.chunk(2, 1)", "told[:, ::2], told[:, 1::2]", "every other one"),
        ("value.tanh() * gate.sigmoid()", "value.tanh() + gate.sigmoid()", "multiplies"),
        (" * gate.sigmoid()", "", "gate is missing"),
        ("gate.sigmoid()", "gate", "between 0 and 1"),
        (
            "told = x + table[labels][..., None, None]",
            "x += table[labels][..., None, None]\n    told = x",
            "it changed x",
        ),
        (
            "told = x + table[labels][..., None, None]",
            "told = x.clone()\n    told[:, :, 0, 0] += table[labels]",
            "to every pixel",
        ),
        (
            "told.chunk(2, 1)  # (B, C, H, W) each\n"
            "    return value.tanh() * gate.sigmoid()",
            "x.chunk(2, 1)\n    told = table[labels].chunk(2, 1)[0][..., None, None]\n"
            "    return value.tanh() * gate.sigmoid() + told",
            "before the gate",
        ),
    ],
    "posterior": [
        (
            "return (log_p + prior.log()).softmax(1)",
            "joint = log_p + prior.log()\n"
            "    joint = (joint - joint.max()).exp()\n"
            "    return joint / joint.sum(1, keepdim=True)",
            "a largest of its own",
        ),
        (" + prior.log()", "", "prior is not used"),
        ("prior.log()", "prior", "the *logarithm*"),
        (
            "(log_p + prior.log()).softmax(1)",
            "log_p.exp() * prior / (log_p.exp() * prior).sum(1, keepdim=True)",
            "stay with logarithms",
        ),
        ("softmax(1)", "softmax(0)", "not over the pictures"),
        ("softmax(1)", "log_softmax(1)", "logarithms still"),
        ("softmax(1)", "argmax(1)", "the likeliest label"),
        ("(log_p + prior.log()).softmax(1)", "log_p.exp() * prior", "sum to one"),
        (
            "(log_p + prior.log()).softmax(1)",
            "log_p.softmax(1) * prior",
            "after the prior",
        ),
    ],
    "as_attention": [
        (".view(N, N).T", ".view(N, N)", "transposed"),
        ("kernel[None, None]", "kernel.flip(0, 1)[None, None]", "is turned round"),
        ("kernel[None, None]", "kernel.T[None, None]", "i goes down"),
        (
            "return seen.view(N, N).T",
            "M = seen.view(N, N).T\n"
            "    return M.masked_fill(M == 0, -torch.inf).softmax(1)",
            "no softmax",
        ),
        ("return seen.view(N, N).T", "return seen.view(N, N).T.softmax(1)", "no softmax"),
        ("return seen.view(N, N).T", "return seen.view(N, N).T.tril()", "later pixels"),
        (
            "F.conv2d(each, kernel[None, None], padding=1)",
            'F.conv2d(F.pad(each, (1, 1, 1, 1), mode="replicate"), kernel[None, None])',
            "repeats the edge",
        ),
        (
            "F.conv2d(each, kernel[None, None], padding=1)",
            "F.conv2d(F.pad(each, (0, 2, 0, 2)), kernel[None, None])",
            "the kernel's centre",
        ),
        (
            "return seen.view(N, N).T",
            "M = torch.zeros(N, N)\n    for t in range(N):\n        for s in range(N):\n"
            "            (r, c), (y, x) = divmod(t, width), divmod(s, width)\n"
            "            if seen[s].flatten()[t]:\n"
            "                M[r * height + c, y * height + x] = seen[s].flatten()[t]\n"
            "    return M",
            "yours has the height",
        ),
        (
            "return seen.view(N, N).T",
            "return torch.eye(N) * kernel[1, 1]",
            "only the pixel itself",
        ),
        (
            "return seen.view(N, N).T",
            "M = torch.zeros(N, N)\n    for t in range(N):\n        for i in range(9):\n"
            "            s = t + (i // 3 - 1) * width + i % 3 - 1\n"
            "            if 0 <= s < N:\n"
            "                M[t, s] += kernel[i // 3, i % 3]\n"
            "    return M",
            "the end of a row",
        ),
    ],
    # chapter 6
    "padding_mask": [
        ("!=", "==", "True at padding"),
        ("[:, None]", "", "axis of the queries is missing"),
        ("[:, None]", "[..., None]", "not behind it"),
        ("words != pad", "words != 0", "you took 0"),
        ("words != pad", "words > pad", "the smallest number"),
        ("[:, None]", "[:, None].float()", "boolean"),
        (
            "(words != pad)[:, None]",
            "(words[:1] != pad)[:, None].expand(len(words), -1, -1)",
            "the first one's",
        ),
    ],
    "attention": [
        (
            "scores.masked_fill(~mask, -torch.inf).softmax(-1).nan_to_num(0)",
            "scores.softmax(-1) * mask\n"
            "    weights = (weights / weights.sum(-1, keepdim=True)).nan_to_num(0)",
            "rounded to 0",
        ),
        (
            "-torch.inf).softmax(-1).nan_to_num(0)",
            "-100).softmax(-1) * mask",
            "−100 is a score",
        ),
        (" / query.shape[-1] ** 0.5", "", "divided by √D; yours are not"),
        ("** 0.5", "", "not by D"),
        ("softmax(-1)", "softmax(-2)", "sum to one over queries"),
        (".masked_fill(~mask, -torch.inf)", "", "mask is not used"),
        ("~mask", "mask", "other way round"),
        (
            "scores.masked_fill(~mask, -torch.inf).softmax(-1).nan_to_num(0)",
            "scores.softmax(-1) * mask",
            "before the softmax",
        ),
        (".nan_to_num(0)", "", "not NaN"),
        ("-torch.inf", "-1e9", "looks everywhere"),
        (
            "return weights @ value, weights",
            "return weights, weights @ value",
            "context first",
        ),
        (
            "scores = query",
            "query *= 1\n    value += 1\n    scores = query",
            "it changed value",
        ),
        ("/ query.shape[-1] ** 0.5", "/ 2.0", "the same for all"),
        ("query.shape[-1]", "query.shape[1]", "number of queries"),
        ("query.shape[-1]", "key.shape[1]", "number of keys"),
        ("-torch.inf", "0", "a score like any other"),
        (
            ".softmax(-1).nan_to_num(0)",
            ".exp()\n    weights = weights / weights.sum(2, True).clamp_min(1e-9)",
            "is infinite",
        ),
    ],
    "additive": [
        ("torch.tanh(q + k) @ v", "(q + k) @ v", "without the tanh"),
        ("torch.tanh(q + k) @ v", "torch.tanh((q + k) @ v)", "before v"),
        (
            "torch.tanh(q + k) @ v",
            "(torch.tanh(q + k) @ v).transpose(1, 2)",
            "rows are queries",
        ),
        ("torch.tanh(q + k) @ v", "(torch.tanh(q + k) @ v).softmax(-1)", "comes later"),
        ("torch.tanh(q + k)", "(q.tanh() + k.tanh())", "two tanh"),
        ("torch.tanh(q + k) @ v", "torch.tanh(q + k).sum(-1)", "v weighs"),
        ("q + k", "q * k", "not multiplied"),
    ],
    "window": [
        ("<= radius", "< radius", "still inside"),
        (
            "distance.abs() <= radius",
            "(distance <= 0) & (distance >= -radius)",
            "back only",
        ),
        (".abs()", "", "no end on the left"),
        ("<= radius", "> radius", "other way round"),
        ("centre[:, None]", "torch.arange(len(centre))[:, None]", "not around t"),
        ("centre[:, None]", "centre.long()[:, None]", "do not round"),
        ("centre[:, None]", "centre.round()[:, None]", "to the nearest"),
        ("centre[:, None]", "centre.clamp(0, S - 1)[:, None]", "leave it there"),
        ("distance.abs() <= radius", "(distance.abs() <= radius).T", "rows are queries"),
    ],
    "knows_order": [
        ("range(10)", "range(1)", "try several"),
        (
            "return True\n    return False",
            "return False\n    return True",
            "the other way round",
        ),
        ("layer(x)[:, order]", "layer(x)", "*shuffled* output"),
        ("torch.randperm(x.shape[1])", "torch.arange(x.shape[1]).flip(0)", "both ends"),
        ("torch.randperm(x.shape[1])", "torch.arange(x.shape[1]).roll(1)", "a ring"),
        ("not same", "True", "do not guess"),
        ("not same", "False", "never says so"),
        (
            "layer(x[:, order]), layer(x)[:, order]",
            "layer(x[[1, 0]]), layer(x)[[1, 0]]",
            "not the batch",
        ),
        (
            "layer(x[:, order]), layer(x)[:, order]",
            "layer(x.flip(2)), layer(x).flip(2)",
            "the numbers in each vector",
        ),
    ],
    "causal_heads": [
        (".masked_fill(~past, -torch.inf)", "", "causal mask is missing"),
        ("q.shape[-1] ** 0.5", "x.shape[-1] ** 0.5", "its own size"),
        (" / q.shape[-1] ** 0.5", "", "square root; yours are not"),
        (
            "y.unflatten(-1, (heads, -1)).transpose(1, 2)",
            "y.reshape(len(y), heads, y.shape[1], -1)",
            "first view",
        ),
        (" @ W_o.T", "", "output matrix is missing"),
        ("(heads, -1)", "(1, -1)", "you did not split"),
        (
            "split(x @ W_q.T), split(x @ W_k.T)",
            "split(x @ W_k.T), split(x @ W_q.T)",
            "queries and keys",
        ),
        (
            "split(x @ W_k.T), split(x @ W_v.T)",
            "split(x @ W_v.T), split(x @ W_k.T)",
            "keys and values",
        ),
        (".tril()", ".tril(-1)", "looks at itself, too"),
        (".tril()", ".triu()", "upside down"),
        (".softmax(-1)", ".softmax(-2)", "over queries"),
        (
            "y.unflatten(-1, (heads, -1)).transpose(1, 2)",
            "y.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)",
            "every so many",
        ),
        (
            "(weights @ v).transpose(1, 2).flatten(2)",
            "(weights @ v).reshape(x.shape)",
            "axis back",
        ),
    ],
    # chapter 7
    "path_length": [
        (
            "math.ceil(distance / radius)",
            "round(distance / radius + 0.5)",
            "6 instead of 5",
        ),
        ("math.ceil(distance / radius)", "distance // radius", "take five layers"),
        ("math.ceil(distance / radius)", "distance // radius + 1", "do not add one"),
        ("math.ceil(distance / radius)", "distance / radius", "is whole"),
        (
            "math.ceil(distance / radius)",
            "math.ceil(distance / (2 * radius + 1))",
            "back only",
        ),
        ("        return distance", "        return distance - 1", "not one fewer"),
        ("        return distance", "        return distance + 1", "not one more"),
        ('if way == "window" else 1', 'if way == "window" else distance', "however far"),
        ('if way == "window" else 1', 'if way == "window" else 0', "not none"),
        ("math.ceil(distance / radius)", "distance", "not one"),
        (
            "        return distance",
            "        return math.ceil(distance / radius)",
            "hands a message on",
        ),
    ],
    "warm_up": [
        ("min(", "max(", "not the larger"),
        ("min(step**-0.5, step * warm**-1.5)", "step**-0.5", "warm-up is missing"),
        ("min(step**-0.5, step * warm**-1.5)", "step * warm**-1.5", "for ever"),
        ("size**-0.5 * ", "", "is missing"),
        ("size**-0.5", "size**0.5", "smaller"),
        ("step * warm**-1.5", "step / warm", "rise and fall meet"),
        ("warm**-1.5", "warm**-0.5", "yours is −1/2"),
        ("step**-0.5, step *", "(step + 1) ** -0.5, (step + 1) *", "is step 1"),
    ],
    "block": [
        (
            "x = x + look(norm_1(x))\n    return x + think(norm_2(x))",
            "x = norm_1(x + look(x))\n    return norm_2(x + think(x))",
            "before each part",
        ),
        ("x = x + look", "x = look", "the first `x +`"),
        ("return x + think", "return think", "the second `x +`"),
        (
            "x = x + look(norm_1(x))\n    return x + think(norm_2(x))",
            "y = x + look(norm_1(x))\n    return x + think(norm_2(y))",
            "not from x",
        ),
        ("return x + think(norm_2(x))", "return x + think(norm_1(x))", "norm of its own"),
        (
            "x = x + look(norm_1(x))\n    return x + think(norm_2(x))",
            "x = x + norm_1(look(x))\n    return x + norm_2(think(x))",
            "not behind it",
        ),
        (
            "x = x + look(norm_1(x))\n    return x + think(norm_2(x))",
            "return think(norm_2(look(norm_1(x))))",
            "yours replace it",
        ),
        (
            "x = x + look(norm_1(x))\n    return x + think(norm_2(x))",
            "return x + think(norm_2(look(norm_1(x))))",
            "before `think` reads it",
        ),
        (
            "x = x + look(norm_1(x))\n    return x + think(norm_2(x))",
            "x = norm_1(x)\n    x = norm_2(x + look(x))\n    return x + think(x)",
            "yours is, twice",
        ),
        (
            "look(norm_1(x))\n    return x + think(norm_2(x))",
            "look(norm_2(x))\n    return x + think(norm_1(x))",
            "changed places",
        ),
        (
            "look(norm_1(x))\n    return x + think(norm_2(x))",
            "think(norm_1(x))\n    return x + look(norm_2(x))",
            "first look",
        ),
        (
            "look(norm_1(x))\n    return x + think(norm_2(x))",
            "look(x)\n    return x + think(x)",
            "norms are missing",
        ),
        ("x = x + look", "x += look", "it changed x"),
    ],
    "label_smoothing": [
        (
            "return -((1 - share) * right + share * scores.mean(1)).mean()",
            "part = share / logits.shape[1]\n"
            "    return -((1 - share - part) * right + share * scores.mean(1)).mean()",
            "its part of the share",
        ),
        ("((1 - share) * right + share * scores.mean(1))", "right", "not smoothed"),
        ("(1 - share) * right", "right", "sum is above one"),
        (" + share * scores.mean(1)", "", "nothing is spread"),
        ("return -(", "return (", "the sign"),
        ("(1 - share) * right + share", "share * right + (1 - share)", "changed places"),
        ("log_softmax(1)", "clone()", "no log-probabilities"),
        (").mean()\n", ").sum()\n", "average over"),
        (
            "scores.mean(1)",
            "(scores.sum(1) - right) / (logits.shape[1] - 1)",
            "spread over all V",
        ),
        ("scores.mean(1)", "scores.sum(1)", "share / V"),
        ("log_softmax(1)", "log_softmax(0)", "not over the N"),
    ],
    "rotate": [
        (
            "a * cos - b * sin, a * sin + b * cos",
            "a * cos + b * sin, b * cos - a * sin",
            "the other way",
        ),
        ("place[:, None]", "torch.arange(len(place))[:, None]", "count from 0"),
        ("torch.arange(0, D, 2) / D", "torch.arange(0, D, 2) * 2 / D", "twice that"),
        ("torch.arange(0, D, 2) / D", "torch.arange(D // 2) / D", "half of that"),
        ("torch.arange(0, D, 2) / D", "0 * torch.arange(0, D, 2)", "equally fast"),
        ("a * sin + b * cos", "a * sin - b * cos", "yours subtracts"),
        (
            "a * cos - b * sin, a * sin + b * cos",
            "a * cos + b * sin, a * sin - b * cos",
            "mirrors",
        ),
        ("(torch.arange(0, D, 2) / D)", "(-torch.arange(0, D, 2) / D)", "more slowly"),
        (
            "/ 10_000 ** (torch.arange(0, D, 2) / D)",
            "* 10_000.0 ** (-torch.arange(0, D, 2) // D)",
            "not with //",
        ),
        (
            "return torch.stack([a * cos - b * sin, a * sin + b * cos]",
            "a = a * cos - b * sin\n    return torch.stack([a, a * sin + b * cos]",
            "overwritten",
        ),
        (
            "return torch.stack([a * cos - b * sin, a * sin + b * cos]",
            "return x + torch.stack([sin, cos]",
            "yours adds",
        ),
        (
            "torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)",
            "torch.cat([a * cos - b * sin, a * sin + b * cos], -1)",
            "put the pairs together",
        ),
        ("x[..., ::2], x[..., 1::2]", "x.chunk(2, -1)", "come back as neighbours"),
    ],
    "cached_step": [
        (" / q.shape[-1] ** 0.5", "", "divided by √D"),
        ("(k, v)\n", "(k[:, -1:], v[:, -1:])\n", "the cache forgets"),
        ("(k, v)\n", "(cache or (k, v))\n", "not in the cache"),
        ("(scores.softmax(-1) @ v)[:, 0]", "v[:, -1]", "was not looked at"),
        ("(k, v)\n", "(v, k)\n", "keys first"),
        (
            "torch.cat([cache[0], k], 1), torch.cat([cache[1], v], 1)",
            "torch.cat([k, cache[0]], 1), torch.cat([v, cache[1]], 1)",
            "end of the cache",
        ),
        ("q.shape[-1] ** 0.5", "k.shape[1] ** 0.5", "number of keys"),
        ("scores.softmax(-1)", "scores.softmax(1)", "all weights are 1"),
        ("x @ W.T", "x @ W", "x @ W.T"),
        (
            "torch.cat([cache[0], k], 1), torch.cat([cache[1], v], 1)",
            "k, v",
            "is not used",
        ),
    ],
}
