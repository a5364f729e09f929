// What the tests ask of the pen's modules, without a page. `call` (explorables.py) runs it.

import { readFileSync } from "node:fs";

const SOURCE = "../../src/lookback/explore";
const { chance, emptyPicture, readPixelCNN, step, writePixel } = await import(`${SOURCE}/pixelcnn.mjs`);
const { Sheet } = await import(`${SOURCE}/sheet.mjs`);

const models = {};

function read(path) {
  const bytes = readFileSync(path);
  return (models[path] ??= readPixelCNN(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
}

/** Two logits for each pixel. */
export function scores(path, pixels) {
  const model = read(path);
  const state = emptyPicture(model);
  return pixels.map((value, t) => {
    const logits = step(model, state, t);
    writePixel(model, state, t, value);
    return logits;
  });
}

/** The chances of a seed, for some pixels. */
export function chances(seed, places) {
  return places.map((t) => chance(seed, t));
}

const sheet = (path, made) => new Sheet(read(path), made);

/** A finished picture: [pixels, probabilities, nats]. */
export function finished(path, made) {
  const page = sheet(path, made);
  page.goTo(page.model.length);
  const all = Array.from(page.pixels.keys());
  return [page.pixels, all.map((t) => page.probability(t)), page.surprise];
}

/** p(ink) at `at`, and for each pixel that it sees p(ink) were that one the other way. */
export function turns(path, made) {
  const page = sheet(path, made);
  const { seen, turned } = page.ask();
  return [page.probability(made.at), seen, seen.map(turned)];
}

/** After each act, ["draw", 3, 1] or ["goTo", 5]: [decided pixels, line, drawn, nats]. */
export function after(path, made, acts) {
  const page = sheet(path, made);
  return acts.map(([name, ...given]) => {
    page[name](...given);
    return [page.decided.slice(), page.line, page.drawn.slice(), page.surprise];
  });
}
