// The beam: positions from left to right, at each the prefixes that were kept, likeliest
// first, and below them those that were pruned.

import {
  arrows, button, choice, controls, element, explorable, put, select, slider, stillness, svg,
} from "./toolkit.mjs";
import { END, beamSearch, hypothesis, pathTo } from "./beam_search.mjs";

const COLUMN = 136, CHIP = 114, ROW = 48, HEAD = 28, ROOT = 18; // pixels
const FAR = 6; // nats behind the leader: what was pruned further back is not drawn

export default explorable("beam", "A beam search that can be stepped through", (figure) => {
  const { model, root } = figure;
  const lattice = latticeView((node) => pick(figure, view, node));
  const table = element("tbody");
  const inputs = settingControls(model);
  const view = { chosen: null };
  root.append(inputs.node, lattice.node, legend(), ranking(table));
  figure.watch(["sentence"], () => { view.chosen = null; });
  figure.watch(["sentence", "width", "alpha", "position"], () => {
    Object.assign(view, searchNow(model));
    inputs.show(view);
    lattice.show(view);
    table.replaceChildren(...rankingRows(view, (node) => pick(figure, view, node)));
    figure.say(summary(view));
  });
  view.redraw = () => lattice.show(view);
});

/** What the traits ask for: the search, the greedy one, and how far it is shown. */
function searchNow(model) {
  const stored = model.get("sentences")[model.get("sentence")];
  const settings = {};
  for (const name of ["width", "alpha", "longest"]) settings[name] = model.get(name);
  const found = beamSearch(stored, settings);
  const greedy = beamSearch(stored, { ...settings, width: 1 }).ranking[0];
  const length = found.columns.length;
  const at = Math.min(model.get("position") ?? length, length);
  return { stored, settings, found, greedy, at, length, over: at === length, words: model.get("words") };
}

function pick(figure, view, node) {
  const { found: { tree }, settings: { width, alpha }, words, stored } = view;
  const { words: places, ...facts } = hypothesis(tree, node, alpha);
  view.chosen = node;
  view.redraw();
  const said = places.filter((place) => place !== END).map((place) => words[place][0]);
  put(figure.model, { picked: { english: stored.english, width, alpha, words: said, ...facts } });
  figure.say(`${inEnglish(view, places)}: log-probability ${number(facts.log_prob)} after `
    + `${count(places.length, "token")}. ${fate(view, node)}`);
}

// --- words ------------------------------------------------------------------------------

const number = (value) => value.toFixed(2).replace("-", "−");
const count = (many, thing) => `${many} ${thing}${many === 1 ? "" : "s"}`;

/** The Korean as one writes it: particles join the word before. */
export function inKorean(words, places) {
  const said = places.filter((place) => place !== END).map((place) => words[place]);
  return said.map(([word, , joins]) => (joins ? word : ` ${word}`)).join("").trim();
}

const inEnglish = (view, places) => places
  .map((place) => (place === END ? "(end)" : view.words[place][1])).join(" ");

function fate({ found, at }, node) {
  const column = found.columns[found.tree.length[node] - 1];
  const rank = column.kept.indexOf(node);
  if (rank < 0) return "It was pruned here.";
  if (found.tree.word[node] === END) return "It has ended.";
  const next = found.columns[found.tree.length[node]];
  if (next && found.tree.length[node] < at) {
    const on = next.kept.filter((child) => found.tree.parent[child] === node).length;
    return `It was kept as number ${rank + 1}; ${count(on, "continuation")} of it ${on === 1 ? "was" : "were"} kept next.`;
  }
  return `It was kept as number ${rank + 1}.`;
}

/** What is shown, in words. */
function summary(view) {
  const { found, at, length, over, settings: { width, alpha } } = view;
  const head = `Width ${width}, α ${alpha}: position ${at} of ${length}.`;
  if (at === 0) return `${head} Nothing has been said yet.`;
  if (!over) return `${head} ${halfway(view, found.columns[at - 1])}`;
  const [best] = found.best;
  return `${head} The search is over; it continued ${found.visited} prefixes. `
    + `Found: ${inEnglish(view, best.words)}, log-probability ${number(best.log_prob)}. `
    + `${verdict(view)}${againstGreedy(view)}`;
}

function halfway(view, { kept, done }) {
  const { tree } = view.found;
  const leader = pathTo(tree, kept[0]).map((node) => tree.word[node]);
  return `Kept ${kept.length}, pruned the rest, finished so far ${done.length}. `
    + `In the lead: ${inEnglish(view, leader)}, log-probability ${number(tree.total[kept[0]])}.`;
}

/** Whether the best is the reference, and if not, whose fault it is. */
function verdict(view) {
  const [best] = view.found.best;
  if (isReference(view, best.words)) return "It is the reference.";
  const reference = referenceScore(view);
  return best.score < reference
    ? "The reference scores higher: the search is to blame."
    : "It scores higher than the reference: the model is to blame.";
}

function againstGreedy({ found, greedy, settings }) {
  if (settings.width === 1) return " This is greedy search.";
  const gain = found.best[0].log_prob - found.tree.total[greedy];
  if (found.ranking[0] === greedy) return " Greedy search finds the same.";
  return ` Greedy search finds something ${number(Math.abs(gain))} nats ${gain > 0 ? "less" : "more"} likely.`;
}

const isReference = ({ stored }, places) => places.join() === stored.reference.words.join();

function referenceScore({ stored: { reference }, settings: { alpha } }) {
  return reference.log_prob / reference.words.length ** alpha;
}

// --- controls ---------------------------------------------------------------------------

function settingControls(model) {
  const set = (name) => (value) => put(model, { [name]: value });
  const sentences = model.get("sentences").map(({ english }, i) => [String(i), english]);
  const widths = Array.from({ length: model.get("widest") }, (_, i) => String(i + 1));
  const sentence = select({
    label: "sentence", options: sentences, value: String(model.get("sentence")),
    change: (key) => put(model, { sentence: Number(key), position: null }),
  });
  const width = choice({
    label: "width", options: widths, value: String(model.get("width")),
    change: (key) => set("width")(Number(key)),
  });
  const alpha = slider({
    label: "α, length normalisation", min: 0, max: model.get("largest"), step: 0.1, value: model.get("alpha"),
    change: (value) => set("alpha")(Math.round(10 * value) / 10), format: (value) => value.toFixed(1),
  });
  const steps = positionControls(model);
  const node = element("div", {}, controls(sentence), controls(width, alpha), controls(steps.nodes));
  node.firstChild.classList.add("wide");
  return {
    node,
    show(view) {
      sentence.set(String(model.get("sentence")));
      width.set(String(view.settings.width));
      alpha.set(view.settings.alpha);
      steps.show(view);
    },
  };
}

function positionControls(model) {
  let length = 0, at = 0;
  const go = (to) => put(model, { position: to >= length ? null : Math.max(0, to) });
  const position = slider({
    label: "position", min: 0, max: 1, value: 0, change: go,
    format: (value) => `${value} of ${length}`,
  });
  const back = button("Back", () => go(at - 1)), step = button("Step", () => go(at + 1));
  const first = button("Begin", () => go(0));
  return {
    nodes: [position, element("div", { class: "steps" }, first, back, step)],
    show(view) {
      ({ length, at } = view);
      position.querySelector("input").max = length;
      position.set(at);
      first.disabled = back.disabled = at === 0;
      step.disabled = view.over;
    },
  };
}

// --- the lattice ------------------------------------------------------------------------

function latticeView(choose) {
  const edges = svg("svg", { "aria-hidden": "true" });
  const heads = element("div", { class: "heads", "aria-hidden": "true" });
  const field = element("div", { class: "tree" }, edges, heads);
  const node = element("div", { class: "scroller", role: "group", "aria-label": "The search tree" }, field);
  const chips = new Map();
  let shown = null;
  arrows(node, (dx, dy) => {
    const from = Number(document.activeElement?.dataset.node ?? shown.leader);
    chips.get(neighbour(shown, from, dx, dy))?.focus();
  });
  node.addEventListener("focusin", ({ target }) => {
    chips.forEach((chip) => { chip.tabIndex = chip === target ? 0 : -1; });
  });
  return {
    node,
    show(view) {
      shown = layOut(view);
      placeChips(field, chips, shown, view, choose);
      drawEdges(edges, shown);
      drawHeads(heads, shown);
      Object.assign(field.style, { width: `${shown.width}px`, height: `${shown.height}px` });
      node.tabIndex = view.at ? -1 : 0; // at the beginning no word can take the focus
      if (view.at !== node.at) follow(node, shown, view);
      node.at = view.at;
    },
  };
}

/** Where each node stands, and which paths are marked. */
function layOut({ found, greedy, at, over, chosen }) {
  const { tree, columns, ranking } = found;
  const all = columns.map(({ kept, dropped }) => [...kept, ...near(tree, kept[0], dropped)]);
  const levels = all.slice(0, at);
  const where = new Map();
  levels.forEach((level, t) => level.forEach((node, row) => {
    where.set(node, { t, row, x: 2 * ROOT + t * COLUMN, y: HEAD + row * ROW, kept: row < columns[t].kept.length });
  }));
  const leader = over ? ranking[0] : columns[at - 1]?.kept[0] ?? 0;
  const rows = Math.max(2, ...all.map((level) => level.length));
  const marks = { leads: leader, greedy, chosen: where.has(chosen) ? chosen : 0 };
  const paths = Object.entries(marks).map(([name, node]) => [name, new Set(pathTo(tree, node))]);
  return {
    tree, levels, where, leader, paths: Object.fromEntries(paths),
    width: 2 * ROOT + columns.length * COLUMN, height: HEAD + rows * ROW,
  };
}

const near = (tree, leader, nodes) => nodes
  .filter((node) => tree.total[node] >= tree.total[leader] - FAR);

function neighbour({ tree, levels, where }, node, dx, dy) {
  const spot = where.get(node);
  if (!spot) return levels[0]?.[0];
  if (dx < 0) return tree.parent[node];
  if (dx > 0) return levels[spot.t + 1]?.find((child) => tree.parent[child] === node);
  return levels[spot.t][spot.row + dy];
}

const classesOf = ({ where, paths }, node) => [
  where.get(node).kept ? "kept" : "pruned",
  ...Object.keys(paths).filter((name) => paths[name].has(node)),
].join(" ");

function placeChips(field, chips, shown, view, choose) {
  for (const [node, chip] of chips) {
    if (!shown.where.has(node) || chip.stored !== view.stored) {
      chip.remove();
      chips.delete(node);
    }
  }
  for (const [node, { x, y }] of shown.where) {
    if (!chips.has(node)) {
      const chip = makeChip(view, node, choose);
      chips.set(node, chip);
      field.append(chip);
    }
    const chip = chips.get(node);
    chip.className = `chip ${classesOf(shown, node)}`;
    Object.assign(chip.style, { left: `${x}px`, top: `${y}px` });
    chip.setAttribute("aria-pressed", String(view.chosen === node));
    chip.setAttribute("aria-label", spoken(view, shown, node));
    chip.tabIndex = node === shown.leader ? 0 : -1;
  }
}

function makeChip({ stored, words, found: { tree } }, node, choose) {
  const [korean, english] = words[tree.word[node]];
  const chip = button("", () => choose(node), { "data-node": node });
  chip.append(
    element("span", { class: "word", lang: english ? "ko" : null }, korean),
    element("span", { class: "value" }, number(tree.total[node])),
    element("span", { class: "gloss" }, english),
  );
  chip.stored = stored;
  return chip;
}

function spoken({ words, found: { tree } }, { where }, node) {
  const { t, row, kept } = where.get(node), [korean, english] = words[tree.word[node]];
  return `position ${t + 1}, ${kept ? `kept, number ${row + 1}` : "pruned"}: ${korean} ${english}, ${number(tree.total[node])}`;
}

function drawEdges(edges, shown) {
  const { tree, where, width, height } = shown;
  edges.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const lines = [...where].map(([node, { x, y }]) => {
    const from = where.get(tree.parent[node]);
    const [x0, y0] = from ? [from.x + CHIP, from.y] : [ROOT, HEAD];
    const half = ROW / 2 - 3, bend = (x0 + x) / 2;
    const d = `M${x0} ${y0 + half} C${bend} ${y0 + half} ${bend} ${y + half} ${x} ${y + half}`;
    return svg("path", { d, class: classesOf(shown, node) });
  });
  const important = (line) => ["pruned", "kept", "greedy", "leads", "chosen"]
    .findLastIndex((name) => line.classList.contains(name));
  lines.sort((a, b) => important(a) - important(b));
  const bands = lines.filter((line) => line.classList.contains("greedy")).map((line) => {
    const band = line.cloneNode();
    band.setAttribute("class", "band");
    return band;
  });
  const start = svg("circle", { cx: ROOT, cy: HEAD + ROW / 2 - 3, r: 4, class: "start" });
  edges.replaceChildren(...bands, ...lines, start);
}

function drawHeads(heads, { levels }) {
  heads.replaceChildren(...levels.map((_, t) => {
    const head = element("span", {}, String(t + 1));
    head.style.left = `${2 * ROOT + t * COLUMN}px`;
    return head;
  }));
}

/** Scrolls so that the newest position is in sight. */
function follow(scroller, { width }, { at, over }) {
  const right = Math.min(width, 2 * ROOT + at * COLUMN);
  const left = over && scroller.at === undefined ? 0 : Math.max(0, right - scroller.clientWidth);
  scroller.scrollTo({ left, behavior: stillness() ? "auto" : "smooth" });
}

// --- the ranking ------------------------------------------------------------------------

function legend() {
  const entry = (name, text) => element("span", {}, element("i", { class: name }), text);
  return element("p", { class: "marks muted" }, entry("leads", "in the lead; at the end, the best"),
    entry("greedy", "what greedy search says"), entry("pruned", `pruned (drawn if less than ${FAR} nats behind)`));
}

function ranking(body) {
  const heads = ["", "finished, best first", "tokens", "log p", "score"];
  const row = heads.map((head, i) => element(i ? "th" : "td", i ? { scope: "col" } : {}, head));
  return element("table", { class: "ranking" }, element("thead", {}, element("tr", {}, row)), body);
}

function rankingRows(view, choose) {
  const { found, over, at, settings: { alpha } } = view;
  const nodes = over ? found.ranking : found.columns[at - 1]?.done ?? [];
  const rows = nodes.map((node, i) => row(view, String(i + 1), hypothesis(found.tree, node, alpha), {
    node, choose, greedy: node === view.greedy,
  }));
  const listed = nodes.some((node) => isReference(view, hypothesis(found.tree, node, alpha).words));
  if (!listed) {
    const { words, log_prob } = view.stored.reference;
    rows.push(row(view, "", { words, log_prob, score: referenceScore(view) }, { outside: true }));
  }
  return rows;
}

function row(view, rank, { words, log_prob, score }, { node, choose, greedy, outside }) {
  const korean = element("span", { lang: "ko" }, inKorean(view.words, words));
  const tags = [isReference(view, words) && "the reference", greedy && "greedy"].filter(Boolean);
  const sentence = element(
    "td", {}, node ? button(korean, () => choose(node)) : korean,
    element("div", { class: "gloss" }, inEnglish(view, words.slice(0, -1)),
      tags.map((tag) => element("span", { class: "tag" }, tag))),
  );
  const numbers = [String(words.length), number(log_prob), number(score)];
  return element("tr", { class: outside ? "outside" : rank === "1" ? "first" : null },
    element("td", {}, rank), sentence, numbers.map((one) => element("td", { class: "number" }, one)));
}
