// A PixelCNN (models/pixelcnn.py) on typed arrays: pure functions, no page.
//
// As there, a pixel costs one column of features, not a picture of them. The columns of a
// layer stay in one array, row by row, inside a margin of zeros as wide as its kernel
// reaches. A mask lets nothing look at later pixels, so one may go back to any pixel and
// on from there: what lies behind it is overwritten before it is read.

import { safetensors } from "./weights.mjs";

/** The model in a weight file (ArrayBuffer): its sizes, and its weights in the order of use. */
export function readPixelCNN(buffer) {
  const { metadata, tensors } = safetensors(buffer);
  if (metadata.class !== "PixelCNN") {
    throw new Error(`the weights are of a ${metadata.class}: the pen needs a PixelCNN`);
  }
  const { vocabulary, height, width, hidden, layers, first, kernel } = JSON.parse(metadata.config);
  if (vocabulary !== 2) throw new Error(`a pixel has ${vocabulary} values: the pen draws with 2`);
  const convolution = (name, size, seesItself) => ({
    ...masked(tensors[`${name}.weight`], size, seesItself, width),
    bias: tensors[`${name}.bias`].data,
  });
  return {
    height, width, hidden, length: height * width,
    first: convolution("first", first, false),
    blocks: Array.from({ length: layers }, (_, l) => convolution(`blocks.${l}`, kernel, true)),
    head: [1, 3].map((l) => linear(tensors[`head.${l}.weight`], tensors[`head.${l}.bias`])),
  };
}

/** A masked kernel (O, I, rows, size) as its taps, each with weights (I, O). */
function masked({ shape: [outputs, inputs, rows, size], data }, expected, seesItself, width) {
  if (size !== expected) throw new Error(`a kernel is ${size} wide: its settings say ${expected}`);
  const up = rows - 1;
  const side = (size - 1) / 2;
  const taps = [];
  for (let place = 0; place < up * size + side + (seesItself ? 1 : 0); place++) {
    const weight = new Float32Array(inputs * outputs);
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        weight[i * outputs + o] = data[(o * inputs + i) * rows * size + place];
      }
    }
    const tap = { up: up - Math.floor(place / size), right: (place % size) - side, weight };
    taps.push({ ...tap, behind: tap.up * (width + 2 * side) - tap.right });
  }
  return { taps, up, side, inputs, outputs };
}

/** A linear layer (O, I) with its weights turned to (I, O). */
function linear({ shape: [outputs, inputs], data }, { data: bias }) {
  const weight = new Float32Array(data.length);
  data.forEach((w, place) => {
    weight[(place % inputs) * outputs + Math.floor(place / inputs)] = w;
  });
  return { weight, bias, inputs, outputs };
}

/** What is remembered of a picture: its pixels and the features of each layer. */
export function emptyPicture(model) {
  const { height, width, first, blocks, hidden } = model;
  const map = (layer) => new Float64Array((height + layer.up) * (width + 2 * layer.side) * layer.inputs);
  const seen = map(first);
  for (let t = 0; t < model.length; t++) seen[inputsOf(model, first, t) + 1] = 1; // inside the picture
  return { seen, features: blocks.map(map), last: new Float64Array(model.length * hidden) };
}

/** Where a layer's map keeps the inputs of pixel t. */
function inputsOf({ width }, { up, side, inputs }, t) {
  return ((Math.floor(t / width) + up) * (width + 2 * side) + (t % width) + side) * inputs;
}

/** Write pixel t: 0 is paper, 1 is ink. */
export function writePixel(model, state, t, value) {
  state.seen[inputsOf(model, model.first, t)] = value;
}

/** Score pixel t from those before it, which have been put and scored: [paper, ink]. */
export function step(model, state, t) {
  const { first, blocks, hidden } = model;
  const h = Float64Array.from(first.bias);
  convolve(h, state.seen, inputsOf(model, first, t), first);
  blocks.forEach((block, l) => {
    const place = inputsOf(model, block, t);
    state.features[l].set(h, place);
    for (let o = 0; o < hidden; o++) h[o] += block.bias[o];
    convolve(h, state.features[l], place, block);
  });
  state.last.set(h, t * hidden);
  return score(model, h);
}

/** Add to `sum` what a layer makes of the columns around `place`. */
function convolve(sum, map, place, { taps, inputs }) {
  for (const { behind, weight } of taps) add(sum, map, place - behind * inputs, weight, inputs);
}

/** Add relu(column) times weights (I, O) to `sum`. (Pixels are not negative either.) */
function add(sum, column, from, weight, inputs) {
  const outputs = sum.length;
  for (let i = 0, w = 0; i < inputs; i++, w += outputs) {
    const x = column[from + i];
    if (x > 0) for (let o = 0; o < outputs; o++) sum[o] += x * weight[w + o];
  }
}

/** From a pixel's features to its two logits. */
function score({ head }, features) {
  let x = features;
  for (const { weight, bias, inputs } of head) {
    const sum = Float64Array.from(bias);
    add(sum, x, 0, weight, inputs);
    x = sum;
  }
  return x;
}

/** log(1 + exp(x)), for any x. */
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Log-probabilities [paper, ink] in nats. */
export function logSoftmax([paper, ink]) {
  return [-softplus(ink - paper), -softplus(paper - ink)];
}

/** p(ink), with the logits divided by a temperature first. */
export function inkProbability([paper, ink], temperature = 1) {
  return 1 / (1 + Math.exp((paper - ink) / temperature));
}

/** The number in [0, 1) that decides pixel t: the t-th of mulberry32 from this seed. */
export function chance(seed, t) {
  let a = (seed + Math.imul(t + 1, 0x6d2b79f5)) | 0;
  a = Math.imul(a ^ (a >>> 15), a | 1);
  a ^= a + Math.imul(a ^ (a >>> 7), a | 61);
  return ((a ^ (a >>> 14)) >>> 0) / 2 ** 32;
}

/** What pixel t sees: its receptive field, layer by layer, as sets of marks. */
function cones({ first, blocks, height, width, length }, t) {
  const mark = (marks, { taps }, keep) => {
    const seen = keep ? marks.slice() : new Uint8Array(length);
    marks.forEach((marked, q) => {
      if (!marked) return;
      for (const { up, right } of taps) {
        const row = Math.floor(q / width) - up;
        const column = (q % width) + right;
        if (row >= 0 && row < height && column >= 0 && column < width) seen[row * width + column] = 1;
      }
    });
    return seen;
  };
  const needed = [Uint8Array.from({ length }, (_, q) => q === t)];
  for (const block of blocks.toReversed()) needed.unshift(mark(needed[0], block, true));
  return { needed, field: mark(needed[0], first, false) };
}

/**
 * What each earlier pixel does to pixel t: turn one over, ask again.
 *
 * Returns the pixels that t can see, near ones first, and turned(s): the logits at t if
 * pixel s were the other way. Only what changes is computed again, so the answer is exact.
 */
export function ask(model, state, t) {
  const { hidden, length, width, first, blocks } = model;
  const { needed, field } = cones(model, t);
  const change = new Float64Array(length * hidden); // of the features, at every pixel
  const distance = (s) => {
    const up = Math.floor(t / width) - Math.floor(s / width);
    return up ** 2 + ((s % width) - (t % width)) ** 2;
  };
  const seen = Array.from(field.keys()).filter((s) => field[s]);
  seen.sort((a, b) => distance(a) - distance(b) || a - b);

  const turned = (s) => {
    change.fill(0);
    const value = state.seen[inputsOf(model, first, s)];
    scatter(model, first, [1 - 2 * value, 0], s, needed[0], change);
    blocks.forEach((block, l) => {
      // From the last pixel to s: each changes only itself and later ones, which are done.
      for (let p = t; p >= s; p--) {
        if (!needed[l][p]) continue;
        const difference = rectified(state.features[l], inputsOf(model, block, p), change, p * hidden, hidden);
        if (difference) scatter(model, block, difference, p, needed[l + 1], change);
      }
    });
    const from = t * hidden;
    return score(model, Array.from({ length: hidden }, (_, i) => state.last[from + i] + change[from + i]));
  };
  return { seen, turned };
}

/** relu(h + change) - relu(h) of one column, or null where nothing changes. */
function rectified(features, place, change, from, hidden) {
  const difference = new Float64Array(hidden);
  let any = false;
  for (let i = 0; i < hidden; i++) {
    if (change[from + i] === 0) continue;
    const h = features[place + i];
    difference[i] = Math.max(0, h + change[from + i]) - Math.max(0, h);
    any ||= difference[i] !== 0;
  }
  return any ? difference : null;
}

/** Add to `change` what a changed column at pixel p does to the needed pixels that see it. */
function scatter({ height, width, hidden }, { taps }, difference, p, needed, change) {
  const row = Math.floor(p / width);
  const column = p % width;
  for (const { up, right, weight } of taps) {
    const below = row + up;
    const beside = column - right;
    const q = below * width + beside;
    if (below >= height || beside < 0 || beside >= width || !needed[q]) continue;
    for (let i = 0; i < difference.length; i++) {
      const x = difference[i];
      if (x === 0) continue;
      for (let o = 0; o < hidden; o++) change[q * hidden + o] += x * weight[i * hidden + o];
    }
  }
}
