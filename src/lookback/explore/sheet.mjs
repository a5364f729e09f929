// A sheet of paper that a reader and a pen share: the reader has the rows above a line, the
// pen the rest. What the pen draws follows from the pixels before, a seed and a temperature,
// so one may go back to any pixel and on again: the same picture comes up.

import {
  ask, chance, emptyPicture, inkProbability, logSoftmax, step, writePixel,
} from "./pixelcnn.mjs";

export class Sheet {
  #state;
  #scored = 0; // pixels whose logits fit the pixels before them

  /** drawn: the reader's pixels, 0 or 1; line: how many rows of them count; at: see `pen`. */
  constructor(model, { drawn, line, seed, temperature, at }) {
    Object.assign(this, { model, line, seed, temperature });
    this.#state = emptyPicture(model);
    this.logits = Array.from({ length: model.length });
    this.drawn = Uint8Array.from({ length: model.length }, (_, s) => drawn[s] ?? 0);
    this.pixels = this.drawn.slice();
    this.pen = 0; // the pixel that is next; those before it are decided
    this.goTo(at);
  }

  /** What it takes to make this sheet again. */
  get made() {
    const { drawn, line, seed, temperature, pen } = this;
    return { drawn: Array.from(drawn), line, seed, temperature, at: pen };
  }

  /** How many pixels are the reader's. */
  get given() {
    return this.line * this.model.width;
  }

  get finished() {
    return this.pen === this.model.length;
  }

  /** The pixels that are decided. */
  get decided() {
    return this.pixels.subarray(0, this.pen);
  }

  /** Lead the pen to pixel t: back at once, or forward, deciding each pixel it passes. */
  goTo(t) {
    while (this.pen < t) {
      this.#score(this.pen);
      if (this.pen >= this.given) this.#write(this.pen, this.#decide(this.pen));
      this.pen += 1;
    }
    this.pen = t;
    if (!this.finished) this.#score(t);
  }

  #decide(t) {
    return chance(this.seed, t) < this.probability(t) ? 1 : 0;
  }

  #write(s, value) {
    if (this.pixels[s] !== value) this.#scored = Math.min(this.#scored, s + 1);
    this.pixels[s] = value;
  }

  #score(t) {
    for (; this.#scored <= t; this.#scored++) {
      const before = this.#scored - 1;
      if (before >= 0) writePixel(this.model, this.#state, before, this.pixels[before]);
      this.logits[this.#scored] = step(this.model, this.#state, this.#scored);
    }
  }

  /** p(ink) at a pixel up to the pen's, at the temperature that is set. */
  probability(t) {
    return inkProbability(this.logits[t], this.temperature);
  }

  /** What pixel t, which is decided, cost: -ln p, at temperature 1. */
  nats(t) {
    return -logSoftmax(this.logits[t])[this.pixels[t]];
  }

  /** What the picture so far cost. */
  get surprise() {
    return this.decided.reduce((sum, _, t) => sum + this.nats(t), 0);
  }

  /** The reader writes above the line; the pen goes back to what changes. */
  draw(s, value) {
    if (s >= this.given || this.pixels[s] === value) return;
    this.pen = Math.min(this.pen, s);
    this.drawn[s] = value;
    this.#write(s, value);
  }

  /** Everything is paper again. */
  clear() {
    this.drawn.fill(0);
    for (let s = 0; s < this.given; s++) this.draw(s, 0);
    this.goTo(this.given);
  }

  /** Move the line. What stands above it is the reader's, what lies below is forgotten. */
  moveLine(line) {
    const before = this.given;
    this.line = line;
    for (let s = before; s < this.given; s++) {
      if (s < this.pen) this.drawn[s] = this.pixels[s];
      else this.#write(s, this.drawn[s]);
    }
    const from = this.given < before ? this.given : Math.max(this.pen, this.given);
    this.pen = Math.min(this.pen, from);
    this.goTo(from);
  }

  /** Another seed or temperature: the pen goes back to the line. */
  set(options) {
    Object.assign(this, options);
    this.goTo(this.given);
  }

  /** Which earlier pixels move the pen's: see `ask`. turned(s) is p(ink) were s the other way. */
  ask() {
    const { seen, turned } = ask(this.model, this.#state, this.pen);
    return { seen, turned: (s) => inkProbability(turned(s), this.temperature) };
  }
}
