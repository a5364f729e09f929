// The pen: the reader draws the top of a digit, a PixelCNN goes on below the line.

import {
  arrows, button, choice, colour, controls, drag, element, explorable, place, put, setText,
  slider, stillness, svg,
} from "./toolkit.mjs";
import { asset } from "./weights.mjs";
import { move, Panel } from "./panel.mjs";
import { readPixelCNN } from "./pixelcnn.mjs";
import { Sheet } from "./sheet.mjs";

const MADE_OF = ["drawn", "line", "seed", "temperature", "at"]; // traits that make a sheet
const SEEDS = 100;
const KEYS = "Arrow keys move, with shift they draw; space turns a pixel over.";
const BELOW = "Below the line the pen draws: move the line down to draw there yourself. ";
const LASTS = 1600; // milliseconds from the pen's place to the end, so that one can watch
const BUSY = 10; // milliseconds of work before the page may do something else
const BRUSH = 1.1; // how far from its middle a stroke reaches, in pixels
const FAINT = 0.004; // a smaller change of p(ink) is not drawn

export default explorable("pen", "The pen: draw the top of a digit, the model goes on", async (figure) => {
  const net = readPixelCNN(await asset(figure.model, figure.model.get("weights")));
  const view = new Desk(figure, net);
  view.build();
  figure.watch(MADE_OF, () => view.listen());
  figure.onTheme(() => view.paint());
  figure.undo.push(() => view.stop());
});

/** The sheet with all that one sees of it and does to it. */
class Desk {
  constructor(figure, net) {
    Object.assign(this, { ...figure, net });
    this.running = null; // what goes on from frame to frame: the pen, or the questions
    this.tool = 1;
    this.cursor = Math.floor(net.height / 4) * net.width + Math.floor(net.width / 2);
  }

  // --- what is told from outside ------------------------------------------------------------

  /** Begin again if Python, or another view, has changed what the sheet is made of. */
  listen() {
    const told = Object.fromEntries(MADE_OF.map((name) => [name, this.model.get(name)]));
    if (this.telling || JSON.stringify(told) === JSON.stringify(this.sheet?.made)) return;
    this.stop();
    this.sheet = new Sheet(this.net, told);
    this.rest();
  }

  tell() {
    this.telling = true; // one trait after the other: not to be listened to
    put(this.model, { ...this.sheet.made, pixels: Array.from(this.sheet.decided) });
    this.telling = false;
  }

  // --- what one sees ------------------------------------------------------------------------

  build() {
    const { height, width } = this.net;
    this.page = new Panel(this.net, "ink", 2);
    this.chances = new Panel(this.net, "neighbourhood", 4);
    this.dots = this.page.over.appendChild(svg("g"));
    this.caret = this.page.over.appendChild(svg("rect", { class: "caret", width: 1, height: 1 }));
    this.grip = this.page.over.appendChild(svg("g", { class: "grip" },
      svg("line", { x1: 0, x2: width }), svg("rect", { x: width + 0.25, y: -1, width: 1.5, height: 2, rx: 0.5 })));
    this.bars = this.chances.over.appendChild(svg("path", { class: "bars" }));
    describe(this.page.box, {
      class: "sheet drag", tabindex: 0, role: "application", "aria-label": `The page, ${height} by ${width} pixels. ${KEYS}`,
    });
    describe(this.chances.box, { class: "sheet pick", role: "img", "aria-label": "p(ink) of each pixel so far" });
    const note = (...words) => element("p", { class: "note" }, ...words);
    const dots = note(element("span", { class: "rises" }, "raises "), element("span", { class: "falls" }, "lowers "), "p(ink) if turned over");
    this.handle();
    this.root.append(
      element("div", { class: "columns" },
        element("div", {}, this.page.caption, this.page.box, element("p", { class: "note keys" }, KEYS), dots, this.pageControls()),
        element("div", {}, this.chances.caption, this.chances.box, note("bars: nats that each row cost"), this.penControls())));
  }

  pageControls() {
    this.line = slider({ label: "yours: rows above the line", min: 0, max: this.net.height, value: 0,
      change: (line) => this.change(() => this.sheet.moveLine(line)) });
    const tool = choice({ label: "above the line", options: [["1", "draw"], ["0", "erase"]], value: "1",
      change: (value) => { this.tool = Number(value); } });
    return [this.line, controls(tool, button("Clear", () => this.change(() => this.sheet.clear())))];
  }

  penControls() {
    const { length } = this.net;
    this.at = slider({ label: "pen at", min: 0, max: length, value: 0, format: (t) => this.where(t),
      change: (t) => this.change(() => this.sheet.goTo(t)) });
    this.heat = slider({ label: "temperature", min: 0.2, max: 2, step: 0.1, value: 1, format: (value) => value.toFixed(1),
      change: (temperature) => this.change(() => this.sheet.set({ temperature })) });
    this.luck = slider({ label: "seed", min: 0, max: SEEDS - 1, value: 0,
      change: (seed) => this.change(() => this.sheet.set({ seed })) });
    this.go = button("Finish it", () => (this.drawing ? this.rest() : this.finish()), { class: "go" });
    const by = (steps) => () => this.change(() => this.sheet.goTo(Math.min(length, Math.max(0, this.sheet.pen + steps))));
    const other = button("Another", () => {
      this.sheet.set({ seed: (this.sheet.seed + 1) % SEEDS });
      this.finish();
    });
    return [this.at, controls(this.go, button("Back", by(-1)), button("Step", by(1)), other),
      element("div", { class: "pair" }, this.heat, this.luck)];
  }

  /** Row and column of a pixel, counted from 1 as in the text. */
  where(t) {
    if (t >= this.net.length) return "the end";
    return `row ${Math.floor(t / this.net.width) + 1}, column ${(t % this.net.width) + 1}`;
  }

  /** What stands at a pixel. */
  what(t) {
    if (t >= this.shown) return "not drawn yet";
    return this.sheet.pixels[t] ? "ink" : "paper";
  }

  /** How many pixels can be seen: the reader's, and those that the pen has come to. */
  get shown() {
    return Math.max(this.sheet.pen, this.sheet.given);
  }

  paint() {
    const { sheet, page, chances, net } = this;
    const colours = (panel) => colour(this.root, panel.hue);
    page.paint(colours(page), Array.from(sheet.pixels.subarray(0, this.shown)), this.shown, sheet.pen);
    const scored = Math.min(sheet.pen + 1, net.length);
    chances.paint(colours(chances), Array.from({ length: scored }, (_, t) => sheet.probability(t)), scored, sheet.pen);
    this.grip.setAttribute("transform", `translate(0 ${sheet.line})`);
    move(this.caret, this.cursor, net.width);
    setText(page.caption, `The page: ${sheet.surprise.toFixed(1)} nats${sheet.finished ? "" : " so far"}`);
    setText(chances.caption, sheet.finished
      ? "p(ink) of each pixel"
      : `p(ink) of each pixel: ${sheet.probability(sheet.pen).toFixed(2)} at the pen`);
    this.bars.setAttribute("d", this.bar());
    setText(this.go, this.drawing ? "Pause" : sheet.finished ? "Once more" : "Finish it");
    for (const [control, value] of [[this.line, sheet.line], [this.at, sheet.pen],
      [this.heat, sheet.temperature], [this.luck, sheet.seed]]) control.set(value);
  }

  /** For each row a bar as long as it cost; the longest fills the margin, or 10 nats would. */
  bar() {
    const { width, height } = this.net;
    const rows = new Float64Array(height);
    for (let t = 0; t < this.sheet.pen; t++) rows[Math.floor(t / width)] += this.sheet.nats(t);
    const scale = 3.6 / Math.max(10, ...rows);
    return Array.from(rows, (nats, row) => `M${width + 0.4} ${row + 0.2}h${nats * scale}v0.6h${-nats * scale}z`).join("");
  }

  // --- what one does ------------------------------------------------------------------------

  handle() {
    const { page, chances, net } = this;
    const pixel = (panel, event) => place(event, panel.over);
    drag(this.grip, { move: (event) => this.change(() => this.sheet.moveLine(
      Math.min(net.height, Math.max(0, Math.round(pixel(page, event)[1]))))) });
    this.grip.addEventListener("pointerdown", (event) => event.stopPropagation()); // no ink
    let from;
    const stroke = (event) => {
      const to = pixel(page, event);
      this.mark(from ?? to, to);
      from = to;
    };
    drag(page.box, {
      start: (event) => { from = null; this.stop(); stroke(event); },
      move: stroke,
      end: () => this.settle(from),
    });
    chances.box.addEventListener("click", (event) => {
      const [x, y] = pixel(chances, event).map(Math.floor);
      if (x < net.width) this.change(() => this.sheet.goTo(y * net.width + x));
    });
    arrows(page.box, (dx, dy, event) => this.walk(dx, dy, event.shiftKey));
    page.box.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      this.stop();
      this.sheet.draw(this.cursor, 1 - this.sheet.pixels[this.cursor]);
      this.settle(this.caretMiddle());
    });
  }

  /** A stroke from one place to another, both in pixels; the brush is round. */
  mark(from, to) {
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const length = dx * dx + dy * dy;
    for (let s = 0; s < this.net.length; s++) {
      const x = (s % this.net.width) + 0.5 - from[0];
      const y = Math.floor(s / this.net.width) + 0.5 - from[1];
      const along = length ? Math.min(1, Math.max(0, (x * dx + y * dy) / length)) : 0;
      if (Math.hypot(x - along * dx, y - along * dy) <= BRUSH) this.sheet.draw(s, this.tool);
    }
    this.paint();
  }

  /** The arrow keys move the caret; with shift they draw. */
  walk(dx, dy, draws) {
    const { width, height } = this.net;
    const from = this.caretMiddle();
    const to = [inside(from[0] + dx, width), inside(from[1] + dy, height)];
    this.cursor = Math.floor(to[1]) * width + Math.floor(to[0]);
    if (draws) {
      this.stop();
      this.mark(from, to);
      this.settle(to);
    } else {
      this.paint();
      this.reading = true;
      this.say(`${this.where(this.cursor)}: ${this.what(this.cursor)}.`);
    }
  }

  caretMiddle() {
    return [(this.cursor % this.net.width) + 0.5, Math.floor(this.cursor / this.net.width) + 0.5];
  }

  /** A stroke has ended somewhere. If it changed anything, the pen waits at the line. */
  settle(end) {
    const [x, y] = [inside(end[0], this.net.width), inside(end[1], this.net.height)].map(Math.floor);
    const hint = y < this.sheet.line ? `You drew to ${this.where(y * this.net.width + x)}. ` : BELOW;
    this.change(() => this.sheet.goTo(Math.max(this.sheet.pen, this.sheet.given)), hint);
  }

  /** Stop what goes on, change the sheet, look at it. hint: what is said first. */
  change(act, hint = "") {
    this.stop();
    act();
    this.rest(hint);
  }

  stop() {
    cancelAnimationFrame(this.running);
    this.running = null;
    this.drawing = false;
    this.dots.replaceChildren();
  }

  /** Let the pen go to the end, as one can watch it; without movement, at once. */
  finish() {
    this.stop();
    if (this.sheet.finished) this.sheet.goTo(this.sheet.given);
    if (stillness()) return this.change(() => this.sheet.goTo(this.net.length));
    this.drawing = true;
    this.say("The pen draws.");
    const [from, began] = [this.sheet.pen, performance.now()];
    const draw = (now) => {
      const share = Math.min(1, Math.max(0, now - began) / LASTS);
      this.sheet.goTo(from + Math.ceil(share * (this.net.length - from)));
      if (this.sheet.finished) return this.rest();
      this.paint();
      this.running = requestAnimationFrame(draw);
    };
    this.running = requestAnimationFrame(draw);
  }

  /** The pen stands still: say where, tell Python, and ask which pixels moved it. */
  rest(hint = "") {
    this.stop();
    this.hint = hint;
    this.reading = false;
    this.paint();
    this.tell();
    this.say(this.words());
    this.root.dataset.asked = "false";
    if (!this.sheet.finished) this.ask();
  }

  words() {
    const { sheet } = this;
    const spent = `${sheet.surprise.toFixed(1)} nats`;
    if (sheet.finished) return `${this.hint}The digit is finished: ${spent}.`;
    const p = sheet.probability(sheet.pen).toFixed(2);
    return `${this.hint}The pen is at ${this.where(sheet.pen)}: p(ink) is ${p}; ${spent} so far.`;
  }

  /** Turn each pixel over that the pen can see, near ones first, a few a frame. */
  ask() {
    const { seen, turned } = this.sheet.ask();
    const p = this.sheet.probability(this.sheet.pen);
    const changes = [];
    const go = () => {
      for (const began = performance.now(); changes.length < seen.length && performance.now() - began < BUSY;) {
        const s = seen[changes.length];
        changes.push(turned(s) - p);
        this.dot(s, changes.at(-1));
      }
      if (changes.length < seen.length) this.running = requestAnimationFrame(go);
      else this.answer(seen, changes, p);
    };
    this.running = requestAnimationFrame(go);
  }

  /** A dot as large as the change of p(ink), if it is not too small to see. */
  dot(s, change) {
    if (Math.abs(change) < FAINT) return;
    const { width } = this.net;
    this.dots.append(svg("circle", {
      class: change > 0 ? "rises" : "falls", cx: (s % width) + 0.5, cy: Math.floor(s / width) + 0.5,
      r: 0.08 + 0.52 * Math.sqrt(Math.abs(change)),
    }));
  }

  answer(seen, changes, p) {
    const most = changes.reduce((best, change, i) => (Math.abs(change) > Math.abs(changes[best]) ? i : best), 0);
    this.root.dataset.asked = "true";
    if (this.reading) return; // whoever walks on hears the caret, not the last question
    if (!seen.length) return this.say(`${this.words()} It has nothing to look back at.`);
    this.say(`${this.words()} Of the ${seen.length} pixels it can see, the one at ${this.where(seen[most])} `
      + `matters most: turned over, p(ink) would be ${(p + changes[most]).toFixed(2)}.`);
  }
}

const inside = (x, side) => Math.min(side - 0.5, Math.max(0.5, x));

function describe(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}
