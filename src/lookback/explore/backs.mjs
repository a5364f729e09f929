import {
  button, choice, controls, element, explorable, percent, put, setText, slider, stillness, svg,
} from "./toolkit.mjs";

/** The first back that answers wrongly, or null: answers is [back][drawing]. */
export function fades(answers, drawing, length) {
  const wrong = answers.slice(0, length + 1).findIndex((row, back) => back > 0 && row[drawing] !== drawing);
  return wrong < 0 ? null : wrong;
}

/** A number such as 0.034 or 5e-17, short. */
export function short(number) {
  if (number >= 0.01 || number === 0) return number.toFixed(2);
  const [digits, power] = number.toExponential(0).split("e");
  return `${digits} × 10${[...String(Number(power))].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻").join("")}`;
}

/** What the row shows, in words. */
export function describe({ cell, drawing, length, answers, recall, slopes }) {
  const said = answers[length][drawing];
  const first = fades(answers, drawing, length);
  const way = first === null ? "Every back on the way answers so." : `The first wrong answer is at back ${first}.`;
  return `${cell}: ${drawing} was drawn, and back ${length} answers ${said}. ${way} `
    + `At this distance ${percent(recall[length - 1])} of all drawings are recalled, `
    + `and ${short(slopes[length - 1])} of a small change gets through.`;
}

const [WIDE, HIGH, LEFT, TOP, BOTTOM] = [320, 150, 44, 10, 26]; // of a chart

// One line for each cell over the backs 1 to T, and a mark where the row ends.
function chart({ title, cells, series, ticks, height }) {
  const T = series[0].length;
  const x = (back) => LEFT + ((back - 1) / Math.max(1, T - 1)) * (WIDE - LEFT - 8);
  const y = (value) => HIGH - BOTTOM - height(value) * (HIGH - BOTTOM - TOP);
  const lines = series.map((values, i) => svg("polyline", {
    class: "line", points: values.map((value, t) => `${x(t + 1)},${y(value)}`).join(" "), style: `stroke: ${hue(cells[i])}`,
  }));
  const mark = svg("line", { class: "mark", y1: TOP, y2: HIGH - BOTTOM });
  const dot = svg("circle", { class: "spot", r: 5 });
  const node = element("figure", {}, element("figcaption", {}, title), svg(
    "svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, "aria-hidden": "true" },
    ticks.map(([value, text]) => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDE - 8, y1: y(value), y2: y(value) }),
      svg("text", { class: "muted", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, text),
    ]).flat(),
    [1, 10, 20, 30, 40].filter((back) => back <= T).map((back) => svg("text", { class: "muted", x: x(back), y: HIGH - 8, "text-anchor": "middle" }, String(back))),
    mark, lines, dot,
  ));
  function draw(chosen, length) {
    lines.forEach((line, i) => line.classList.toggle("chosen", i === chosen));
    lines[chosen].after(dot);
    mark.setAttribute("x1", x(length));
    mark.setAttribute("x2", x(length));
    dot.setAttribute("cx", x(length));
    dot.setAttribute("cy", y(series[chosen][length - 1]));
    dot.style.fill = hue(cells[chosen]);
  }
  return { node, draw };
}

function hue(cell) {
  const name = cell.split(/\W/)[0].toLowerCase();
  return ["rnn", "gru", "lstm"].includes(name) ? `var(--${name})` : "var(--handed-along)";
}

// A person seen from behind, with what is felt on the back, and below which back it is.
function person(_, back) {
  const felt = svg("text", { class: "felt", x: 22, y: 43, "text-anchor": "middle" });
  const node = svg(
    "svg", { viewBox: "0 0 44 74", class: "person" },
    svg("circle", { cx: 22, cy: 10, r: 8 }), svg("path", { d: "M4 56V34Q4 21 22 21Q40 21 40 34V56Z" }), felt,
    svg("text", { class: "muted", x: 22, y: 70, "text-anchor": "middle" }, String(back)),
  );
  return { node, felt };
}

export default explorable("backs", "A row of people who pass a drawing on", ({ model, root, say, watch, undo }) => {
  const cells = model.get("cells");
  const T = model.get("recall")[0].length;
  const drawings = model.get("answers")[0][0].length;
  const set = (name) => (value) => put(model, { [name]: value });
  const cell = choice({ label: "cell", options: cells, change: set("cell") });
  const drawing = choice({
    label: "drawn on the first back", options: Array.from({ length: drawings }, (_, i) => String(i)),
    change: (text) => put(model, { drawing: Number(text) }),
  });
  const length = slider({ label: "length of the row", min: 1, max: T, value: model.get("length"), change: set("length") });
  const people = Array.from({ length: T + 1 }, person);
  const row = element("div", { class: "people", "aria-hidden": "true" }, people.map(({ node }) => node));
  const least = Math.max(1e-30, Math.min(...model.get("slopes").flat()));
  const powers = Math.max(1, Math.ceil(-Math.log10(least) / 10)) * 10;
  const charts = [
    chart({
      title: "drawings recalled, by distance", cells, series: model.get("recall"),
      ticks: [[0, "0 %"], [0.5, "50 %"], [1, "100 %"]], height: (share) => share,
    }),
    chart({
      title: "left of a small change (norm of the Jacobian)", cells, series: model.get("slopes"),
      ticks: [0, powers / 2, powers].map((power) => [10 ** -power, power ? short(10 ** -power).replace("1 × ", "") : "1"]),
      height: (size) => 1 + Math.log10(Math.min(1, Math.max(size, 10 ** -powers))) / powers,
    }),
  ];
  root.append(
    controls(cell, drawing, length, button("pass it on", pass)), row,
    element("div", { class: "columns" }, charts.map(({ node }) => node)),
  );

  let timer;
  undo.push(() => clearInterval(timer));
  function pass() {
    clearInterval(timer);
    if (stillness()) return;
    let next = 1;
    people.forEach(({ node }, back) => node.classList.toggle("waiting", back > 0));
    timer = setInterval(() => {
      people[next].node.classList.remove("waiting");
      next += 1;
      if (next > T) clearInterval(timer);
    }, 120);
  }

  watch(["cell", "drawing", "length"], () => {
    const chosen = Math.max(0, cells.indexOf(model.get("cell")));
    const asked = { cell: cells[chosen], drawing: model.get("drawing"), length: Math.min(T, model.get("length")) };
    for (const name of ["answers", "recall", "slopes"]) asked[name] = model.get(name)[chosen];
    people.forEach(({ node, felt }, back) => {
      const said = back === 0 ? asked.drawing : asked.answers[back][asked.drawing];
      setText(felt, String(said));
      node.classList.toggle("gone", back > asked.length);
      node.classList.toggle("wrong", said !== asked.drawing);
      node.classList.toggle("end", back === 0 || back === asked.length);
    });
    root.style.setProperty("--cell", hue(asked.cell));
    for (const one of charts) one.draw(chosen, asked.length);
    cell.set(asked.cell);
    drawing.set(String(asked.drawing));
    length.set(asked.length);
    say(describe(asked));
  });
});
