// The attention translator of `lookback.models.attention_translator`, in the page.
//
// The same numbers as Python's: a GRU reads the source (one or both ways), a GRU writes the
// target, and before each word the decoder's state looks at all states of the source.
// Matrices are Float32Arrays, row by row; sums are kept in double precision.

export const PAD = 0, EOS = 1;

/** a . b, where b begins at `at`; four sums at once, which the processor can overlap. */
export function dot(a, b, at = 0) {
  const n = a.length, whole = n - (n % 4);
  let p = 0, q = 0, r = 0, s = 0;
  for (let i = 0; i < whole; i += 4, at += 4) {
    p += a[i] * b[at];
    q += a[i + 1] * b[at + 1];
    r += a[i + 2] * b[at + 2];
    s += a[i + 3] * b[at + 3];
  }
  for (let i = whole; i < n; i++) p += a[i] * b[at++];
  return p + q + r + s;
}

/** W x + b for W (rows, x.length); b may be null. */
export function affine(W, b, x, rows) {
  const y = new Float32Array(rows);
  for (let i = 0; i < rows; i++) y[i] = (b ? b[i] : 0) + dot(x, W, i * x.length);
  return y;
}

export function concatenate(a, b) {
  const joined = new Float32Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Logits -> log-probabilities. */
export function logSoftmax(logits) {
  const top = Math.max(...logits);
  let sum = 0;
  for (const x of logits) sum += Math.exp(x - top);
  const shift = top + Math.log(sum);
  return logits.map((x) => x - shift);
}

/** A GRU, with what it hears of each symbol kept once it is known. */
class GRU {
  constructor(tensors, name, embedding) {
    const get = (part) => tensors[`${name}.${part}_l0`].data;
    this.input = [get("weight_ih"), get("bias_ih")];
    this.hidden = [get("weight_hh"), get("bias_hh")];
    this.size = this.hidden[0].length / this.hidden[1].length;
    this.embedding = embedding;
    this.heard = new Map();
  }

  hear(symbol) {
    if (!this.heard.has(symbol)) {
      const { data, shape } = this.embedding;
      const row = data.subarray(symbol * shape[1], (symbol + 1) * shape[1]);
      this.heard.set(symbol, affine(...this.input, row, 3 * this.size));
    }
    return this.heard.get(symbol);
  }

  /** The state after one more symbol. */
  step(symbol, state) {
    const H = this.size, x = this.hear(symbol);
    const h = affine(...this.hidden, state, 3 * H), next = new Float32Array(H);
    for (let i = 0; i < H; i++) {
      const r = sigmoid(x[i] + h[i]), z = sigmoid(x[H + i] + h[H + i]);
      const n = Math.tanh(x[2 * H + i] + r * h[2 * H + i]);
      next[i] = (1 - z) * n + z * state[i];
    }
    return next;
  }

  /** All states of one reading. */
  read(symbols) {
    let state = new Float32Array(this.size);
    return symbols.map((symbol) => (state = this.step(symbol, state)));
  }
}

// Scores: a function that prepares the keys once and gives query -> S numbers.
const SCORES = {
  dot: () => (keys) => (query) => keys.map((key) => dot(query, key)),
  scaled_dot: () => (keys) => (query) =>
    keys.map((key) => dot(query, key) / Math.sqrt(query.length)),
  bilinear: (get) => (keys) => (query) => {
    const asked = affine(get("to_key.weight"), null, query, keys[0].length);
    return keys.map((key) => dot(asked, key));
  },
  additive: (get) => (keys) => {
    const v = get("v.weight"), n = v.length;
    const ready = keys.map((key) => affine(get("from_key.weight"), null, key, n));
    return (query) => {
      const q = affine(get("from_query.weight"), get("from_query.bias"), query, n);
      return ready.map((k) => dot(v, k.map((x, i) => Math.tanh(x + q[i]))));
    };
  },
};

export class Translator {
  /**
   * @param tensors {name: {shape, data}}: the state of an `AttentionTranslator`.
   * @param config its `config`: score, local, radius, vocabulary, ...
   */
  constructor(tensors, config) {
    this.tensors = tensors;
    this.config = config;
    this.encoders = [new GRU(tensors, "encoder", tensors["embed_source.weight"])];
    if (config.bidirectional)
      this.encoders.push(
        new GRU(tensors, "backward_encoder", tensors["embed_source.weight"])
      );
    this.decoder = new GRU(tensors, "decoder", tensors["embed.weight"]);
    this.score = SCORES[config.score]((name) => tensors[`score.${name}`].data);
  }

  layer(name, x) {
    const b = this.tensors[`${name}.bias`].data;
    return affine(this.tensors[`${name}.weight`].data, b, x, b.length);
  }

  /** Source ids, the end among them -> what the decoder looks at, and its first state. */
  encode(source, temperature = 1) {
    const [forward, backward] = this.encoders;
    let states = forward.read(source), vector = states.at(-1);
    if (backward) {
      const mirrored = backward.read(source.toReversed());
      vector = concatenate(vector, mirrored.at(-1));
      states = states.map((h, i) => concatenate(h, mirrored[source.length - 1 - i]));
    }
    const first = this.layer("bridge", vector).map(Math.tanh);
    return { states, first, score: this.score(states), temperature };
  }

  /** Where a decoder state looks, as the word at place t is written: S weights. */
  look(state, memory, t) {
    const scores = memory.score(state).map((x) => x / memory.temperature);
    if (!this.config.local) return logSoftmax(scores).map(Math.exp);
    const S = scores.length, radius = this.config.radius;
    const bell = this.config.local === "predicted";
    const centre = bell ? this.centre(state, S) : t;
    const near = scores.map((x, s) => (Math.abs(s - centre) <= radius ? x : -Infinity));
    if (!near.some(Number.isFinite)) return near.fill(0);
    const weights = logSoftmax(near).map(Math.exp);
    const fall = (s) => Math.exp(-(((s - centre) / (radius / 2)) ** 2) / 2);
    return bell ? weights.map((w, s) => w * fall(s)) : weights;
  }

  centre(state, S) {
    const v = this.tensors["centre.v.weight"].data;
    const hidden = affine(this.tensors["centre.w.weight"].data, null, state, v.length);
    return S * sigmoid(dot(v, hidden.map(Math.tanh)));
  }

  /** One more word: {logits (V), state, weights (S)}; `previous` is null at t = 0. */
  step(previous, before, memory, t) {
    const state = this.decoder.step(previous ?? this.config.vocabulary, before);
    const weights = this.look(state, memory, t);
    const seen = new Float32Array(state.length);
    weights.forEach((w, s) => {
      const h = memory.states[s];
      for (let i = 0; i < seen.length; i++) seen[i] += w * h[i];
    });
    const mixed = this.layer("combine", concatenate(state, seen)).map(Math.tanh);
    const logits = this.layer("out", mixed);
    logits[PAD] = -Infinity; // padding is never predicted
    return { logits, state, weights };
  }
}

/**
 * Beam search, as `lookback.decoding.beam` does it; a width of 1 is the greedy decoder.
 *
 * @returns {tokens, weights (T rows of S), logits (T rows of V), total (nats), finished}
 */
export function translate(model, source, { width = 1, temperature = 1, longest = 80 } = {}) {
  const memory = model.encode(source, temperature);
  let live = [{ last: null, state: memory.first, total: 0, before: null }], best = null;
  for (let t = 0; t < longest && live.length; t++) {
    const kept = continuations(model, live, memory, t, width);
    live = kept.filter((node) => node.last !== EOS);
    for (const node of kept)
      if (node.last === EOS && !(best && best.total >= node.total)) best = node;
    // A log-probability only falls: this is the best that a live prefix can become.
    if (best) live = live.filter((node, i, all) => all[0].total > best.total);
  }
  return told(best ?? live[0], best !== null);
}

/** The `width` likeliest continuations of the live prefixes, the likeliest first. */
function continuations(model, live, memory, t, width) {
  const top = [];
  for (const before of live) {
    const step = model.step(before.last, before.state, memory, t);
    logSoftmax(step.logits).forEach((gain, last) => {
      const total = before.total + gain;
      if (gain === -Infinity || (top.length === width && total <= top.at(-1).total)) return;
      const place = top.findIndex((node) => node.total < total);
      top.splice(place < 0 ? top.length : place, 0, { ...step, last, total, before });
      if (top.length > width) top.pop();
    });
  }
  return top;
}

function told(node, finished) {
  const path = [];
  for (let at = node; at.before; at = at.before) path.unshift(at);
  return {
    tokens: path.map((step) => step.last),
    weights: path.map((step) => Array.from(step.weights)),
    logits: path.map((step) => step.logits),
    total: node.total,
    finished,
  };
}
