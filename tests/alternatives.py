"""Right answers written in another way than the solutions: no check may refuse them."""

import heapq
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def last_state(hidden, lengths):
    index = (lengths - 1)[:, None, None].expand(-1, 1, hidden.shape[2])
    return hidden.gather(1, index).squeeze(1)


def heard(x, start):
    return F.pad(x, (1, 0), value=start)[:, :-1]


def lstm_cell(x, h, c, W, U, b):
    cell = nn.LSTMCell(x.shape[1], h.shape[1])
    parts = {
        "weight_ih": torch.cat([W[k] for k in "ifgo"]),
        "weight_hh": torch.cat([U[k] for k in "ifgo"]),
        "bias_ih": torch.cat([b[k] for k in "ifgo"]),
        "bias_hh": torch.zeros(4 * h.shape[1]),
    }
    cell.load_state_dict(parts)
    return cell(x, (h, c))


def write(step, state, eos, longest):
    said = []
    while len(said) < longest:
        scores, state = step(said[-1] if said else None, state)
        said.append(scores.argmax())  # tensors with one number
        if said[-1] == eos:
            break
    return said


def jacobian_norm(step, h, x):
    def run(h):
        for x_t in x:
            h = step(h, x_t)
        return h

    return torch.linalg.svdvals(torch.autograd.functional.jacobian(run, h))[0]


def mean_vector(states, source):
    pairs = zip(states, source, strict=True)
    return torch.stack([h[words != 0].mean(0) for h, words in pairs])


def reverse_words(source):
    new = source.clone()
    for row in new:
        n = int((row != 0).sum())
        row[:n] = row[:n].flip(0)
    return new


def word_loss(logits, target):
    return F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=0)


def told(logits, target):
    right, words, whole = 0, 0, 0
    for scores, row in zip(logits, target, strict=True):
        n = int((row != 0).sum())
        hits = (scores[:n].argmax(1) == row[:n]).sum()
        right, words, whole = right + hits, words + n, whole + int(hits == n)
    return [right / words, whole / len(target)]


def exact_by_length(found, wanted, lengths, bands):
    shares = np.array([f == w for f, w in zip(found, wanted, strict=True)])
    lengths = np.array(lengths)
    inside = [(lengths >= low) & (lengths <= high) for low, high in bands]
    return tuple(shares[i].mean() if i.any() else None for i in inside)


def probe(vectors, words, new, truth, V):
    X = torch.cat([vectors, torch.ones(len(vectors), 1)], 1)
    Y = torch.eye(V)[words].double()
    W = torch.linalg.lstsq(X, Y).solution
    read = (torch.cat([new, torch.ones(len(new), 1)], 1) @ W).argmax(1)
    most = torch.bincount(words, minlength=V).argmax()
    return (read == truth).double().mean(), (truth == most).double().mean()


def winner(hypotheses, alpha):
    return np.argmax([p / n**alpha for p, n in hypotheses])


def beam(next_log_probs, width, eos, longest, alpha):
    live, done = [([], 0.0)], []
    for _ in range(longest):
        if not live:
            break
        totals = torch.stack([total + next_log_probs(tuple(t)) for t, total in live])
        best = totals.flatten().topk(min(width, totals.numel()))
        rows, words = best.indices // totals.shape[1], best.indices % totals.shape[1]
        grown = [
            ([*live[r][0], w], total)
            for r, w, total in zip(
                rows.tolist(), words.tolist(), best.values.tolist(), strict=True
            )
        ]
        done += [h for h in grown if h[0][-1] == eos]
        live = [h for h in grown if h[0][-1] != eos]
    return max(done + live, key=lambda h: h[1] / len(h[0]) ** alpha)[0]


def exact(next_log_probs, eos):
    waiting, best = [(0.0, [])], (-math.inf, None)
    while waiting:  # branch and bound
        cost, tokens = heapq.heappop(waiting)
        if -cost <= best[0]:
            continue
        for word, p in enumerate(next_log_probs(tuple(tokens))):
            if word == eos:
                best = max(best, (float(p) - cost, [*tokens, word]))
            elif float(p) - cost > best[0]:
                heapq.heappush(waiting, (cost - float(p), [*tokens, word]))
    return best[1], best[0]


def nucleus(p, total):
    kept, mass = torch.zeros_like(p), 0.0
    for i in p.argsort(descending=True):
        kept[i] = p[i]
        mass += float(p[i])
        if mass >= total - 1e-6:
            break
    return kept / mass


def bits_per_pixel(nats, height, width):
    return np.log2(np.exp(1)) * nats / (height * width)


def to_sequence(images):
    return images.movedim(1, -1).reshape(len(images), -1)


def where(height, width):
    rows = torch.eye(height).repeat_interleave(width, 0)
    return torch.hstack([rows, torch.eye(width).repeat(height, 1)])


def influence(logits, x, t):
    total = torch.zeros(x.shape[1])
    for row in x:
        pixels = row[None].float().requires_grad_()
        scores = logits(pixels)[0, t].log_softmax(0)
        (slope,) = torch.autograd.grad(scores[1] - scores[0], pixels)
        total += slope[0].abs()
    return total / len(x)


def made_masks(order, hidden):
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    return place < hidden[:, None], hidden <= place[:, None]


def nearest(samples, training):
    return torch.cdist(samples.float(), training.float(), p=1).min(1).values


def mask(height, width, kind):
    seen = torch.zeros(height, width, dtype=torch.bool)
    seen[: height // 2] = True
    seen[height // 2, : width // 2 + (kind == "B")] = True
    return seen


def blind_spot(stack, side, here):
    x = torch.rand(1, 1, side, side).requires_grad_()
    seen = torch.zeros(side, side, dtype=torch.bool)
    for feature in stack(x)[0, :, here[0], here[1]]:
        seen |= torch.autograd.grad(feature, x, retain_graph=True)[0][0, 0] != 0
    earlier = torch.zeros(side, side, dtype=torch.bool)
    earlier[: here[0]] = True
    earlier[here[0], : here[1]] = True
    return earlier & ~seen


def one_output(features, kernel, row, column):
    total = torch.zeros(len(kernel))
    for i in range(3):
        for j in range(3):
            y, x = row + i - 1, column + j - 1
            if 0 <= y < features.shape[1] and 0 <= x < features.shape[2]:
                total = total + kernel[:, :, i, j] @ features[:, y, x]
    return total


def gated(x, labels, table):
    one_hot = F.one_hot(labels, 10).float()
    told = x + (one_hot @ table).reshape(len(x), -1, 1, 1)
    return F.glu(torch.cat([told.chunk(2, 1)[0].tanh(), told.chunk(2, 1)[1]], 1), 1)


def posterior(log_p, prior):
    joint = log_p + torch.log(prior)
    return torch.exp(joint - torch.logsumexp(joint, 1, keepdim=True))


def as_attention(kernel, height, width):
    M = torch.zeros(height, width, height, width)
    for r in range(height):
        for c in range(width):
            for i in range(3):
                for j in range(3):
                    y, x = r + i - 1, c + j - 1
                    if 0 <= y < height and 0 <= x < width:
                        M[r, c, y, x] = kernel[i, j]
    return M.view(height * width, height * width)


def padding_mask(words, pad):
    return torch.ne(words, pad).unsqueeze(1)


def attention(query, key, value, mask):
    scores = torch.einsum("btd,bsd->bts", query, key) / math.sqrt(query.shape[2])
    scores = scores + torch.where(mask, 0.0, -1e30)
    weights = torch.softmax(scores, 2) * mask.any(2, keepdim=True)
    return [torch.einsum("bts,bse->bte", weights, value), weights]


def additive(query, key, W, U, v):
    total = (query @ W.T).unsqueeze(2) + (key @ U.T).unsqueeze(1)
    return (v * total.tanh()).sum(3)


def window(centre, S, radius):
    place = torch.arange(S).expand(len(centre), S)
    pairs = zip(place, centre, strict=True)
    return torch.stack([(p - c).abs() <= radius for p, c in pairs])


def knows_order(layer, x):
    T = x.shape[1]
    for i in range(T - 1):  # every swap of neighbours
        order = torch.arange(T)
        order[[i, i + 1]] = order[[i + 1, i]]
        if (layer(x[:, order]) - layer(x)[:, order]).abs().max() > 1e-4:
            return np.bool_(True)
    return np.bool_(False)


def causal_heads(x, W_q, W_k, W_v, W_o, heads):
    layer = nn.MultiheadAttention(x.shape[2], heads, bias=False, batch_first=True)
    layer.in_proj_weight.data = torch.cat([W_q, W_k, W_v])
    layer.out_proj.weight.data = W_o
    future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
    return layer(x, x, x, attn_mask=future)[0]


def path_length(way, distance, radius):
    if way == "attention":
        return 1.0
    return distance if way == "recurrent" else -(-distance // radius)


def warm_up(step, size, warm):
    return np.minimum(1 / np.sqrt(step), step / warm**1.5) / np.sqrt(size)


def block(x, look, think, norm_1, norm_2):
    seen = look(norm_1(x))
    return think(norm_2(seen + x)) + seen + x


def label_smoothing(logits, target, share):
    return F.cross_entropy(logits, target, label_smoothing=share)


def rotate(x, place):
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    i = torch.arange(x.shape[2] // 2)
    angle = place[:, None] * 10_000.0 ** (-2 * i / x.shape[2])
    turn = torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(pairs * turn).flatten(-2)


def cached_step(x, W_q, W_k, W_v, cache):
    k, v = (x @ W_k.T).unsqueeze(1), (x @ W_v.T).unsqueeze(1)
    if cache:
        k, v = torch.hstack([cache[0], k]), torch.hstack([cache[1], v])
    q = (x @ W_q.T).unsqueeze(1)
    return F.scaled_dot_product_attention(q, k, v).squeeze(1), [k, v]
