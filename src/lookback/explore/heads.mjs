// The heads: who looks at whom in a Transformer, one layer, head and kind at a time.

import { choice, controls, element, explorable, put, select } from "./toolkit.mjs";
import { drawMatrix, sight } from "./sight.mjs";
import { half } from "./weights.mjs";

const KINDS = {
  encoder: { text: "English at English", rows: "English, looking", columns: "English, looked at" },
  decoder: { text: "Korean at Korean", rows: "Korean, being written", columns: "Korean, heard" },
  cross: { text: "Korean at English", rows: "Korean, being written", columns: "English, looked at" },
};

/** The weights of one sentence: {kind: [layer][head][row][column]}, from half-precision bits.
 *
 * They lie one after the other: encoder, decoder, cross; `at` is where the sentence begins. */
export function unpacked(bits, at, { source, target }, layers, heads) {
  const sizes = {
    encoder: [source.length, source.length],
    decoder: [target.length, target.length],
    cross: [target.length, source.length],
  };
  const times = (n, make) => Array.from({ length: n }, make);
  const weights = {};
  for (const [kind, [rows, columns]] of Object.entries(sizes))
    weights[kind] = times(layers, () => times(heads, () => times(rows, () => times(columns, () => half(bits[at++])))));
  return { weights, end: at };
}

/** All sentences of a Bytes trait. */
function all(view, sentences, layers, heads) {
  const bits = new Uint16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  let at = 0;
  return sentences.map((sentence) => {
    const { weights, end } = unpacked(bits, at, sentence, layers, heads);
    at = end;
    return weights;
  });
}

/** The words of both sides: what looks, and what is looked at. */
export function sides(kind, { source, target }) {
  const heard = [{ word: "(start)", gloss: "" }, ...target.slice(0, -1)];
  return {
    rows: kind === "encoder" ? source : target,
    columns: kind === "decoder" ? heard : source,
  };
}

/** A small picture of every head, to choose one; pick(layer, head), both from 0. */
function gallery(layers, heads, pick) {
  const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));
  const thumbs = times(layers, (layer) => times(heads, (head) => {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const button = element("button", {
      type: "button", class: "head", "aria-label": `layer ${layer + 1}, head ${head + 1}`,
      click: () => pick(layer, head),
    }, canvas);
    return { canvas, button };
  }));
  const flat = thumbs.flat();
  const node = element("div", { class: "gallery", role: "toolbar", "aria-label": "Heads" }, thumbs.map((row, layer) => element(
    "div", { class: "layer" }, element("span", { class: "muted" }, `layer ${layer + 1}`), element("div", {}, row.map(({ button }) => button)),
  )));
  node.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -heads, ArrowDown: heads }[event.key];
    const to = flat[flat.findIndex(({ button }) => button === event.target) + step];
    if (!to) return;
    event.preventDefault();
    to.button.focus();
    to.button.click();
  });
  return {
    node,
    draw(weights, layer, head, root) {
      thumbs.forEach((row, l) => row.forEach(({ canvas, button }, h) => {
        const chosen = l === layer && h === head;
        const size = Math.max(weights[l][h].length, weights[l][h][0].length);
        drawMatrix(canvas, weights[l][h], Math.max(2, Math.floor(66 / size)), root);
        button.setAttribute("aria-pressed", chosen);
        button.tabIndex = chosen ? 0 : -1;
      }));
    },
  };
}

export default explorable("heads", "The heads of a Transformer: who looks at whom", (figure) => {
  const { model, root, say, undo, watch, onTheme } = figure;
  const [sentences, layers, heads] = ["sentences", "layers", "heads"].map((name) => model.get(name));
  const weights = all(model.get("weights"), sentences, layers, heads);

  const sentence = select({
    label: "sentence", value: String(model.get("index")),
    options: sentences.map(({ source }, i) => [String(i), source.slice(0, -1).map(({ word }) => word).join(" ")]),
    change: (index) => put(model, { index: Number(index) }),
  });
  const kind = choice({
    label: "who looks at whom", value: model.get("kind"),
    options: Object.entries(KINDS).map(([name, { text }]) => [name, text]), change: (kind) => put(model, { kind }),
  });
  const picks = gallery(layers, heads, (layer, head) => put(model, { layer: layer + 1, head: head + 1 }));
  const view = sight({ root, speak: say, labels: KINDS.cross });
  const titles = { columns: element("span", { class: "muted title" }), rows: element("span", { class: "muted title" }) };

  function show() {
    const [index, name, layer, head] = ["index", "kind", "layer", "head"].map((trait) => model.get(trait));
    sentence.set(String(index));
    kind.set(name);
    for (const side of ["columns", "rows"]) {
      titles[side].textContent = KINDS[name][side];
      view.rows[side].node.setAttribute("aria-label", KINDS[name][side]);
    }
    const written = name !== "encoder";
    const found = {
      ...sides(name, sentences[index]), weights: weights[index][name][layer - 1][head - 1],
      looks: (own) => `Head ${head} of layer ${layer}: ${written ? `to write ${own}, it looked at` : `${own} looked at`}`,
    };
    const kept = view.pin && view.pin.index < found[view.pin.side].length ? view.pin : { side: "rows", index: 0 };
    picks.draw(weights[index][name], layer - 1, head - 1, root);
    view.show(found, kept, `Head ${head} of layer ${layer}. Point at a word to see where it looked.`);
  }

  root.append(
    controls(sentence, kind),
    element("div", { class: "columns" }, picks.node, element("div", { class: "whole" }, view.canvas)),
    titles.columns, view.rows.columns.node, titles.rows, view.rows.rows.node,
  );
  watch(["index", "kind", "layer", "head"], show);
  const size = new ResizeObserver(() => view.light());
  size.observe(root);
  undo.push(() => size.disconnect());
  onTheme(show);
});
