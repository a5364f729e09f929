import { arrows, choice, element, explorable, place, put, slider, svg } from "./toolkit.mjs";

/** Offsets [rows up, columns to the right] that a masked kernel reads: "all" of it, only
 * the rows "above" (by type B with its own), or only what is "beside" the pixel. */
export function offsets(kernel, kind, part) {
  const half = (kernel - 1) / 2;
  const found = [];
  for (let up = 0; up <= half; up += 1) {
    for (let right = -half; right <= half; right += 1) {
      const left = right < 0 || (right === 0 && kind === "B");
      const open = up > 0 ? part !== "beside" : part === "above" ? kind === "B" : left;
      if (open) found.push([up, right]);
    }
  }
  return found;
}

/** By how many layers each pixel is seen from (row, column): height * width numbers, row
 * by row; 0 if never. */
export function reach({ wiring, first, kernel, layers, row, column, height, width }) {
  const here = row * width + column;
  const least = new Int32Array(height * width);
  if (wiring === "attention") return least.fill(1, 0, here);
  const spread = (seen, taps) => {
    const found = new Set();
    for (const pixel of seen) {
      const [y, x] = [Math.floor(pixel / width), pixel % width];
      for (const [up, right] of taps) {
        if (y >= up && x + right >= 0 && x + right < width) found.add((y - up) * width + x + right);
      }
    }
    return found;
  };
  const one = wiring === "one stack";
  const own = (kind) => offsets(kernel, kind, one ? "all" : "beside");
  const over = (kind) => offsets(kernel, kind, "above");
  let seen = new Set([here]);
  let above = new Set();
  for (let depth = 1; depth <= layers; depth += 1) {
    const both = one ? [] : new Set([...seen, ...above]);
    for (const pixel of [...spread(seen, own(first)), ...spread(both, over("A"))]) {
      least[pixel] ||= depth;
    }
    above = spread(both, over("B"));
    seen = spread(seen, own("B"));
  }
  return least;
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** What the picture shows, in words. */
export function describe(least, { wiring, kernel, layers, row, column, width }) {
  const here = row * width + column;
  const seen = least.slice(0, here).filter((depth) => depth > 0).length;
  const who = {
    "one stack": `One stack, ${count(layers, "layer")} of ${kernel} × ${kernel}`,
    "two stacks": `Two stacks, ${count(layers, "layer")} of ${kernel} × ${kernel}`,
    attention: "Attention, one layer",
  }[wiring];
  const most = `${who}: the pixel at row ${row}, column ${column} sees ${seen} of the `
    + `${count(here, "pixel")} drawn before it`;
  if (least[here]) return `${most}, and itself. It reads the answer off its own input.`;
  return seen < here ? `${most}. ${here - seen} cannot move it.` : `${most}. None is hidden.`;
}

const SIDE = 10;
const CHOSEN = ["wiring", "first", "kernel", "layers", "row", "column"];
const LEGEND = { seen: "seen", drawn: "drawn, unseen", not: "not drawn yet", here: "the pixel" };

export default explorable("window", "What one pixel of a picture can see", ({ model, root, say, watch }) => {
  const image = model.get("image");
  const [height, width] = [image.length, image[0].length];
  const cells = image.flatMap((line, y) => line.map((_, x) => svg("rect", {
    x: x * SIDE, y: y * SIDE, width: SIDE, height: SIDE,
  })));
  const ink = image.flatMap((line, y) => line.map((bit, x) => bit > 0 && svg("circle", {
    cx: (x + 0.5) * SIDE, cy: (y + 0.5) * SIDE, r: 0.2 * SIDE, class: "dot",
  })));
  const picture = svg(
    "svg", {
      viewBox: `-1 -1 ${width * SIDE + 2} ${height * SIDE + 2}`, class: "field", tabindex: 0,
      role: "application", "aria-label": "Picture. The arrow keys move the pixel that looks.",
    },
    svg("g", {}, cells), svg("g", {}, ink),
  );
  const set = (name) => (value) => put(model, { [name]: value });
  const wiring = choice({
    label: "looks through", options: ["one stack", "two stacks", "attention"], change: set("wiring"),
  });
  const stacks = {
    first: choice({ label: "first mask", options: [["A", "type A"], ["B", "type B"]], change: set("first") }),
    kernel: choice({
      label: "kernel", options: ["3", "5", "7"].map((size) => [size, `${size} × ${size}`]),
      change: (size) => put(model, { kernel: Number(size) }),
    }),
    layers: slider({ label: "layers", min: 1, max: 20, value: model.get("layers"), change: set("layers") }),
  };
  const legend = element("ul", { class: "legend" }, Object.entries(LEGEND).map(
    ([kind, text]) => element("li", {}, element("span", { class: `swatch ${kind}` }), text),
  ));
  root.append(element(
    "div", { class: "columns" }, picture,
    element("div", {}, element("div", { class: "controls" }, wiring, Object.values(stacks)), legend),
  ));

  let hovered = null; // the pixel under the mouse, until it leaves
  const within = (value, size) => Math.min(size - 1, Math.max(0, value));
  const at = (event) => {
    const [x, y] = place(event, picture).map((value) => Math.floor(value / SIDE));
    return { row: within(y, height), column: within(x, width) };
  };
  const hover = (pixel) => { hovered = pixel; draw(); };
  picture.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") hover(at(event)); });
  picture.addEventListener("pointerleave", () => hover(null));
  picture.addEventListener("click", (event) => put(model, at(event)));
  arrows(picture, (dx, dy) => {
    hovered = null;
    const [row, column] = [within(model.get("row") + dy, height), within(model.get("column") + dx, width)];
    put(model, { row, column });
  });

  function draw() {
    const chosen = Object.fromEntries(CHOSEN.map((name) => [name, model.get(name)]));
    const asked = { ...chosen, ...hovered, height, width };
    const least = reach(asked);
    root.dataset.wiring = asked.wiring;
    wiring.set(asked.wiring);
    for (const [name, control] of Object.entries(stacks)) {
      control.set(String(asked[name]));
      control.hidden = asked.wiring === "attention";
    }
    paint(cells, least, asked);
    say(describe(least, asked));
  }
  watch(CHOSEN, draw);
});

// Seen pixels pale with the number of layers that they are away.
function paint(cells, least, { row, column, width, layers }) {
  const here = row * width + column;
  cells.forEach((cell, i) => {
    const kind = i === here ? "here" : least[i] ? "seen" : i < here ? "drawn" : "not";
    cell.setAttribute("class", kind === "here" && least[i] ? "here leak" : kind);
    cell.style.fillOpacity = kind === "seen" ? 1 - 0.65 * ((least[i] - 1) / Math.max(8, layers)) : "";
  });
}
