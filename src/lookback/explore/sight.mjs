// Two rows of words and the weights between them: who looks, and at what.

import { colour, element, percent } from "./toolkit.mjs";
import { named, toldApart, wordRow } from "./words.mjs";

const SEEN = 0.05; // a share from here on is worth a number

/** The weights of a word at {side, index}: a row's, where it looked; a column's, who looked. */
export function across({ side, index }, weights) {
  return side === "rows" ? weights[index] : weights.map((row) => row[index]);
}

/** The same in words. found is {rows, columns, weights, looks}, looks("X") begins a sentence. */
export function inFull(at, found) {
  const [own, others] = [at.side, at.side === "rows" ? "columns" : "rows"]
    .map((side) => toldApart(found[side].map(named)));
  const most = across(at, found.weights).map((weight, i) => [weight, others[i]])
    .filter(([weight]) => weight >= SEEN).sort((a, b) => b[0] - a[0]).slice(0, 4)
    .map(([weight, name]) => `${name} ${percent(weight)}`).join(", ");
  if (at.side === "rows") return `${found.looks(own[at.index])} ${most || "nothing much"}.`;
  return most ? `Who looked at ${own[at.index]}? ${most}.` : `No word looked at ${own[at.index]}.`;
}

/** Draws weights as squares of `cell` pixels, rows downwards, and frames {side, index}. */
export function drawMatrix(canvas, weights, cell, root, at) {
  const [rows, columns] = [weights.length, weights[0].length];
  const scale = globalThis.devicePixelRatio || 1, pen = canvas.getContext("2d");
  [canvas.width, canvas.height] = [cell * columns * scale, cell * rows * scale];
  canvas.style.width = `${cell * columns}px`;
  pen.scale(scale, scale);
  for (const [name, share] of [["field", () => 1], ["attention-ink", (weight) => weight]]) {
    pen.fillStyle = colour(root, name);
    weights.forEach((row, t) => row.forEach((weight, s) => {
      pen.globalAlpha = share(weight);
      pen.fillRect(s * cell, t * cell, cell - 1, cell - 1);
    }));
  }
  if (!at) return;
  [pen.globalAlpha, pen.strokeStyle, pen.lineWidth] = [1, colour(root, "ink"), 1];
  if (at.side === "rows") pen.strokeRect(0.5, at.index * cell - 0.5, cell * columns - 1, cell);
  else pen.strokeRect(at.index * cell - 0.5, 0.5, cell, cell * rows - 1);
}

/** How large a square of the matrix may be. */
function fitting(canvas, columns) {
  return Math.max(4, Math.min(18, Math.floor(canvas.parentNode.clientWidth / columns)));
}

/** Two rows of words and the matrix of their weights; a word that is pointed at or pinned
 * shows where it looked. labels names the rows; speak(text) says in words what is shown;
 * pinned(at) is called when a word is pinned or let go. */
export function sight({ root, labels, speak, pinned = () => {} }) {
  const rows = { columns: wordRow(labels.columns), rows: wordRow(labels.rows) };
  const canvas = element("canvas", { class: "matrix", "aria-hidden": "true" });
  const same = (a, b) => a?.side === b?.side && a?.index === b?.index;
  let found = null, pin = null, hover = null, rest = "";

  function light() {
    const at = found && (hover ?? pin), shares = at ? across(at, found.weights) : [];
    for (const [side, row] of Object.entries(rows)) {
      row.light(at && side !== at.side ? shares : [], SEEN);
      row.press(pin?.side === side ? pin.index : null);
    }
    if (found) drawMatrix(canvas, found.weights, fitting(canvas, found.columns.length), root, at);
    speak(at ? inFull(at, found) : rest);
  }
  function point(at) {
    if (same(at, hover)) return;
    hover = at;
    light();
  }
  function choose(at) {
    pin = same(at, pin) ? null : at;
    light();
    pinned(pin);
  }

  for (const [side, row] of Object.entries(rows)) {
    const at = (index) => (index === null ? null : { side, index });
    row.listen({ hover: (index) => point(at(index)), pin: (index) => choose(at(index)) });
  }
  const under = ({ offsetY }) => {
    const last = found.weights.length - 1;
    return { side: "rows", index: Math.max(0, Math.min(last, Math.floor((offsetY / canvas.clientHeight) * (last + 1)))) };
  };
  canvas.addEventListener("pointermove", (event) => point(under(event)));
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("click", (event) => choose(under(event)));

  return {
    rows, canvas, light,
    get pin() { return pin; },
    /** Show {rows, columns, weights, looks} with a word pinned; text stands where none is. */
    show(shown, at, text = "") {
      [found, pin, hover, rest] = [shown, at, null, text];
      for (const side of ["columns", "rows"]) rows[side].fill(found[side]);
      canvas.hidden = false;
      light();
    },
    /** Show only the words of the columns: there are no weights yet. */
    wait(words, text) {
      [found, pin, hover, rest] = [null, null, null, text];
      rows.columns.fill(words);
      rows.rows.fill([]);
      canvas.hidden = true;
      light();
    },
  };
}

