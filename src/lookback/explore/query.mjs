import {
  arrows, choice, controls, drag, element, explorable, percent, place, put, setText, slider, softmax, svg,
} from "./toolkit.mjs";

/** Weights (N) and the answer of a query (2) among keys (N, 2) with one value each.
 *
 * A score is the dot product times √(d / 2): as wide as with d independent entries. */
export function look({ query, key, value, dimension, scaled, temperature }) {
  const scale = Math.sqrt(dimension / 2) / (scaled ? Math.sqrt(dimension) : 1) / temperature;
  const scores = key.map(([x, y]) => (query[0] * x + query[1] * y) * scale);
  const weights = softmax(scores);
  const answer = weights.reduce((sum, weight, i) => sum + weight * value[i], 0);
  return { scores, weights, answer };
}

/** The picture in words. */
export function describe({ weights, answer }, { query, names, unit, dimension, scaled }) {
  const order = names.map((_, i) => i).sort((a, b) => weights[b] - weights[a]);
  const shares = order.map((i) => `${names[i]} ${percent(weights[i])}`).join(", ");
  const wide = Math.sqrt(dimension / 2).toFixed(0);
  const spread = dimension > 2 && !scaled ? ` Scores as in ${dimension} dimensions, ${wide} times as wide.` : "";
  return `The query is ${Math.hypot(...query).toFixed(1)} long and points to ${degrees(query)}°. `
    + `It looks at ${shares}. The answer is ${answer.toFixed(1)} ${unit}.${spread}`;
}

/** The direction of an arrow, from 0 to 359 degrees. */
export function degrees([x, y]) {
  return (Math.round((Math.atan2(y, x) * 180) / Math.PI) + 360) % 360;
}

/** Where the query's name stands: outwards of its tip; near the border above or below it. */
function beside(x, y) {
  const out = x < 0 ? -1 : 1;
  return Math.abs(x) < 1.7 ? [x + 0.75 * out, y] : [x - 0.25 * out, y + (y > 2.4 ? -0.42 : 0.42)];
}

const HALF = 3; // the plane goes from -3 to 3
const UNIT = 50; // so many units of the drawing
const TRAITS = ["key", "value", "names", "unit", "query", "dimension", "scaled", "temperature"];
const round = (number) => Math.round(100 * number) / 100;
const MOST = HALF - 0.2; // a tip can be dragged so far, and is seen whole
const within = (number) => round(Math.min(MOST, Math.max(-MOST, number)));

export default explorable("query", "A query among keys in the plane", ({ model, root, say, watch }) => {
  const names = model.get("names");
  const edge = HALF * UNIT;
  const plane = svg("svg", { viewBox: `${-edge} ${-edge} ${2 * edge} ${2 * edge}`, class: "plane", role: "group", "aria-label": "The plane" });
  const set = (name) => (value) => put(model, { [name]: value });

  // An arrow whose tip can be dragged, or moved by arrow keys.
  function arrow(label, kind, get, move) {
    const shaft = svg("line", { class: `shaft ${kind}`, x1: 0, y1: 0 });
    const tip = svg("circle", { class: `tip drag ${kind}`, r: kind === "query" ? 11 : 8 });
    const handle = svg("g", {
      tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 359,
    }, svg("circle", { class: "reach drag", r: 22 }), tip);
    const text = svg("text", { class: "name", "text-anchor": "middle", "dominant-baseline": "middle" }, kind === "query" ? "query" : label);
    const go = (event) => { const [x, y] = place(event, plane); move([within(x / UNIT), within(-y / UNIT)]); };
    drag(handle, { start: (event) => event.stopPropagation(), move: go });
    arrows(handle, (dx, dy) => { const [x, y] = get(); move([within(x + dx / 10), within(y - dy / 10)]); });
    function draw(weight) {
      const [x, y] = get();
      const long = Math.hypot(x, y) || 1;
      shaft.setAttribute("x2", x * UNIT);
      shaft.setAttribute("y2", -y * UNIT);
      shaft.style.strokeWidth = kind === "query" ? 3 : 1.5 + 9 * weight;
      handle.setAttribute("transform", `translate(${x * UNIT} ${-y * UNIT})`);
      handle.setAttribute("aria-valuenow", degrees([x, y]));
      handle.setAttribute("aria-valuetext", `${long.toFixed(1)} long, ${degrees([x, y])} degrees`);
      // A key's name stands beyond its tip, the query's beside it, away from the shaft.
      const [u, v] = kind === "query" ? beside(x, y) : [x + (0.55 * x) / long, y + (0.42 * y) / long];
      const near = (number, margin) => Math.min(edge - margin, Math.max(margin - edge, number));
      text.setAttribute("x", near(u * UNIT, 26));
      text.setAttribute("y", near(-v * UNIT, 12));
    }
    return { nodes: [shaft, text, handle], draw };
  }

  const keys = names.map((name, i) => arrow(`key ${name}`, "key", () => model.get("key")[i], (tip) => {
    put(model, { key: model.get("key").map((one, j) => (j === i ? tip : one)) });
  }));
  keys.forEach(({ nodes }, i) => setText(nodes[1], names[i]));
  const query = arrow("query", "query", () => model.get("query"), set("query"));
  const go = (event) => { const [x, y] = place(event, plane); put(model, { query: [within(x / UNIT), within(-y / UNIT)] }); };
  drag(plane, { start: go, move: go });
  plane.append(
    svg("line", { class: "axis", x1: -edge, x2: edge, y1: 0, y2: 0 }),
    svg("line", { class: "axis", y1: -edge, y2: edge, x1: 0, x2: 0 }),
    ...[...keys, query].flatMap(({ nodes: [shaft, text] }) => [shaft, text]),
    ...[...keys, query].map(({ nodes }) => nodes[2]),
  );

  const cell = (kind) => names.map(() => element("td", { class: kind }));
  const [score, weight, value] = ["score", "weight", "value"].map(cell);
  const bars = weight.map((td) => {
    const bar = element("span", { class: "bar" });
    const share = element("span", { class: "share" });
    td.append(element("div", {}, element("span", { class: "track" }, bar), share));
    return { bar, share };
  });
  const answer = element("td", { class: "value" });
  const table = element(
    "table", {},
    element("thead", {}, element("tr", {}, ["key", "score", "weight", "value"].map((text) => element("th", { scope: "col", class: text }, text)))),
    element("tbody", {}, names.map((name, i) => element("tr", {}, element("th", { scope: "row" }, name), score[i], weight[i], value[i]))),
    element("tfoot", {}, element("tr", {}, element("th", { scope: "row", colspan: 3 }, "answer: the mean, by weight"), answer)),
  );

  const fours = (dimension) => Math.log2(dimension / 2) / 2; // the slider's 0 .. 4: 2, 8, 32, 128, 512
  const temperature = slider({
    label: "temperature", min: 0.25, max: 4, step: 0.25, value: model.get("temperature"),
    format: (number) => String(Number(number)), change: set("temperature"),
  });
  const dimension = slider({
    label: "as in d dimensions: d =", min: 0, max: 4, value: fours(model.get("dimension")),
    format: (i) => String(Math.round(2 * 4 ** i)), change: (i) => put(model, { dimension: 2 * 4 ** i }),
  });
  const scaled = choice({
    label: "score", options: [["no", "q · k"], ["yes", "q · k / √d"]],
    change: (answered) => put(model, { scaled: answered === "yes" }),
  });
  root.append(
    element("div", { class: "columns" }, plane, element("div", {}, controls(scaled, dimension, temperature), table)),
  );

  watch(TRAITS, () => {
    const asked = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
    const found = look(asked);
    keys.forEach((one, i) => one.draw(found.weights[i]));
    query.draw();
    bars.forEach(({ bar, share }, i) => {
      bar.style.width = `${100 * found.weights[i]}%`;
      setText(share, percent(found.weights[i]));
      setText(score[i], found.scores[i].toFixed(1).replace("-", "−"));
      setText(value[i], String(asked.value[i]));
    });
    setText(answer, `${found.answer.toFixed(1)} ${asked.unit}`);
    scaled.set(asked.scaled ? "yes" : "no");
    temperature.set(asked.temperature);
    dimension.set(fours(asked.dimension));
    say(describe(found, asked));
  });
});
