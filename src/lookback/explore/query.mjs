import { arrows, drag, element, explorable, percent, place, put, slider, softmax, svg } from "./toolkit.mjs";

/** The weights of 2-d keys for a query: softmax of (query . key) / temperature. */
export function look(query, keys, temperature) {
  return softmax(keys.map(([x, y]) => (query[0] * x + query[1] * y) / temperature));
}

export default explorable("query", "A query among keys in the plane", (figure) => {
  const { model, root, say, watch } = figure;
  const plane = svg("svg", { viewBox: "-4 -4 8 8", class: "drag", tabindex: 0, role: "application", "aria-label": "The plane: arrow keys move the query" });
  root.append(
    slider({ label: "temperature", min: 0.1, max: 4, step: 0.1, value: model.get("temperature"), change: (temperature) => put(model, { temperature }) }),
    plane,
  );
  const move = (event) => { const [x, y] = place(event, plane); put(model, { query: [x, -y] }); };
  drag(plane, { start: move, move });
  arrows(plane, (dx, dy) => { const [x, y] = model.get("query"); put(model, { query: [x + dx / 4, y - dy / 4] }); });
  watch(["query", "temperature", "key"], () => {
    const [keys, query] = [model.get("key"), model.get("query")];
    const weights = look(query, keys, model.get("temperature"));
    plane.replaceChildren(
      ...keys.map(([x, y], i) => svg("circle", { cx: x, cy: -y, r: 0.1 + 0.5 * Math.sqrt(weights[i]), fill: "var(--attention)" })),
      svg("circle", { cx: query[0], cy: -query[1], r: 0.15, fill: "var(--ink)" }),
    );
    say(`The weights are ${weights.map(percent).join(", ")}.`);
  });
});
