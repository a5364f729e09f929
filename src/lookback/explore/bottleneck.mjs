// The bottleneck: the English above, a neck that does not widen, the Korean below.

import {
  arrows, button, choice, controls, element, explorable, percent, put, select, slider, svg,
} from "./toolkit.mjs";

export default explorable("bottleneck", "A translation through one vector", (figure) => {
  const { model, root } = figure;
  const inputs = stageControls(model);
  const english = element("p", { class: "english" });
  const neck = element("div", { class: "neck", role: "img" });
  const korean = element("ol", { class: "korean" });
  const rows = element("div", { class: "rows", role: "group", "aria-label": "Probability of each right word, by clauses" });
  const view = { chosen: null };
  const choose = (place) => pick(figure, view, place);
  root.append(inputs.node, english, neck, korean, key(model), element("p", { class: "muted caption" }, caption), rows);
  arrows(korean, (dx, dy) => focusBeside(korean, dx + dy));
  figure.watch(["sentence", "clauses", "reader"], () => {
    Object.assign(view, stageNow(model), { chosen: null });
    inputs.show(view);
    showEnglish(english, view);
    drawNeck(neck, view);
    korean.replaceChildren(...columns(view, choose));
    const held = rows.contains(document.activeElement);
    rows.replaceChildren(...growthRows(view, (clauses) => put(model, { clauses })));
    if (held) rows.querySelector("[aria-pressed=true]").focus();
    figure.say(summary(view));
  });
  view.mark = () => mark(root, view);
  arrows(rows, (dx, dy) => {
    put(model, { clauses: within(view.at + dx + dy + 1, view.stages.length) });
  });
});

const caption = "How sure it is of each right word, in English order, clause by clause";
const within = (clauses, most) => Math.min(Math.max(clauses, 1), most);

function stageNow(model) {
  const stages = model.get("sentences")[model.get("sentence")];
  const at = within(model.get("clauses"), stages.length) - 1;
  const reader = model.get("reader");
  return { stages, at, reader, stage: stages[at], result: stages[at].by[reader], size: model.get("readers")[reader] };
}

function pick(figure, view, place) {
  const { stage, result, reader, at } = view;
  const [word, gloss, source] = stage.words[place];
  const said = saidFor(result, place);
  view.chosen = place;
  view.mark();
  put(figure.model, {
    picked: {
      english: stage.english.join(" "), reader, clauses: at + 1, word, gloss,
      log_prob: result.log_prob[place], said: said ? said[0] : "",
    },
  });
  figure.say(aboutWord(view, place, source));
}

// --- numbers ----------------------------------------------------------------------------

/** How many written words of the reference are said where they should be, and of how many;
 * the log-probability of the whole reference in nats. */
export function tally({ words }, { pairs, said, log_prob: steps }) {
  const right = pairs.filter(([i, j]) => isRight(words, said, i, j)).length;
  return { right, of: words.length, log_prob: steps.reduce((sum, step) => sum + step, 0) };
}

function isRight(words, said, i, j) {
  return i !== null && j !== null && words[i][0] === said[j][0];
}

function saidFor({ pairs, said }, place) {
  const pair = pairs.find(([i]) => i === place);
  return pair[1] === null ? null : said[pair[1]];
}

/** The places of the reference's words in the order of what they render. */
function inEnglishOrder({ words }) {
  return words.map((_, i) => i).sort((a, b) => words[a][2] - words[b][2]);
}

/** A row for each stage, a cell for each word of the last in English order: the probability
 * of that word, or null before it has come. */
export function surenesses(stages, reader) {
  const last = stages.at(-1);
  return stages.map((stage, k) => {
    const known = inEnglishOrder(stage).map((i) => Math.exp(stage.by[reader].log_prob[i]));
    return inEnglishOrder(last).map((i) => (last.words[i][3] <= k ? known.shift() : null));
  });
}

// --- words ------------------------------------------------------------------------------

const count = (many, thing) => `${many} ${thing}${many === 1 ? "" : "s"}`;
const nats = (value) => value.toFixed(2).replace("-", "−");

function summary(view) {
  const { stage, result, at } = view;
  const { right, of, log_prob: whole } = tally(stage, result);
  const verdict = right === of && result.said.length === of
    ? "The translation is the reference."
    : `${right} of ${count(of, "Korean word")} stand where they should.`;
  return `${count(at + 1, "clause")}, ${count(stage.english.length, "word")} in. ${verdict} `
    + `Log-probability of the reference: ${nats(whole)}. ${aboutProbe(view)}`;
}

function aboutProbe({ stage, result }) {
  const asked = Object.entries(result.read);
  const right = asked.filter(([place, word]) => stage.english[place] === word).length;
  return asked.length ? `A probe reads ${right} of ${count(asked.length, "word")} back from the vector.` : "";
}

function aboutWord(view, place, source) {
  const { stage, result } = view;
  const [word, gloss] = stage.words[place], said = saidFor(result, place);
  const answer = said?.[0] === word ? "The model says it."
    : said ? `In its place the model says ${said[0]}, ${said[1]}.` : "The model leaves it out.";
  const read = result.read[source];
  return `${word}, ${gloss}, renders “${stage.english[source]}”. After the right words its probability is `
    + `${percent(Math.exp(result.log_prob[place]))}. ${answer}`
    + (read ? ` The probe reads “${read}” at this place of the vector.` : "");
}

// --- controls ---------------------------------------------------------------------------

function stageControls(model) {
  const beginnings = model.get("sentences").map(([first], i) => [String(i), `${first.english.join(" ")} …`]);
  const readers = Object.keys(model.get("readers"));
  const sentence = select({
    label: "sentence", options: beginnings, value: String(model.get("sentence")),
    change: (key) => put(model, { sentence: Number(key) }),
  });
  const reader = choice({
    label: "model", options: readers, value: model.get("reader"),
    change: (name) => put(model, { reader: name }),
  });
  let at = 0, most = 1;
  const go = (clauses) => put(model, { clauses: within(clauses, most) });
  const clauses = slider({
    label: "clauses", min: 1, max: 5, value: 1, change: go, format: (value) => `${value} of ${most}`,
  });
  const less = button("Take one away", () => go(at)), more = button("Add a clause", () => go(at + 2));
  const node = element("div", {},
    controls(sentence, readers.length > 1 ? reader : null),
    controls(clauses, element("div", { class: "steps" }, less, more)));
  return {
    node,
    show(view) {
      at = view.at;
      most = view.stages.length;
      sentence.set(String(model.get("sentence")));
      reader.set(view.reader);
      clauses.querySelector("input").max = most;
      clauses.set(at + 1);
      less.disabled = at === 0;
      more.disabled = at + 1 === most;
    },
  };
}

// --- the figure -------------------------------------------------------------------------

function showEnglish(node, { stage, result, at }) {
  const words = stage.english.map((word, place) => {
    const read = result.read[place];
    const states = [stage.clause[place] === at && "new", read && read !== word && "lost"];
    return element("span", { class: states.filter(Boolean).join(" "), "data-place": place }, word);
  });
  node.replaceChildren(...words.flatMap((word) => [word, " "]));
}

/** As wide above as there are English words, below as Korean ones; the neck stays. */
function drawNeck(node, { stage, result, size, stages }) {
  const most = Math.max(...stages.map(({ english }) => english.length));
  const half = (words) => Math.max(NECK, (310 * words) / most);
  const path = hourglass(half(stage.english.length), half(result.said.length));
  const label = size ? `${size} numbers` : "one vector";
  node.setAttribute("aria-label", `${stage.english.length} words in, ${label}, ${result.said.length} Korean words out`);
  node.replaceChildren(
    svg("svg", { viewBox: "0 0 640 58", preserveAspectRatio: "none" }, svg("path", { d: path })),
    element("span", {}, label),
  );
}

const NECK = 80; // half the width of the neck, of 640

/** A path: 2 * top wide above, 2 * bottom below, as narrow as the neck between. */
function hourglass(top, bottom) {
  const side = (sign) => [
    [top, 2], [(top + NECK) / 2, 16], [NECK, 14], [NECK, 29], [NECK, 44], [(bottom + NECK) / 2, 42], [bottom, 56],
  ].map(([x, y]) => `${320 + sign * x} ${y}`);
  const [start, ...down] = side(-1), [end, ...up] = side(1).reverse();
  const curves = (points) => `C${points.slice(0, 3)} C${points.slice(3)}`;
  return `M${start} ${curves(down)} L${end} ${curves(up)} Z`;
}

function columns({ stage, result }, choose) {
  return result.pairs.map(([i, j]) => {
    const want = i === null ? null : stage.words[i], said = j === null ? null : result.said[j];
    const right = isRight(stage.words, result.said, i, j);
    const above = want ? wordOf(want, result.log_prob[i]) : element("span", { class: "nothing" }, "–");
    const below = element("span", { class: right ? "said" : "said wrong" },
      right ? "✓" : said ? wordOf(said) : "left out");
    if (i === null) return element("li", { class: "extra" }, above, below);
    const name = `${want[0]}, ${want[1]}: ${right ? "right" : said ? `the model says ${said[0]}, ${said[1]}` : "left out"}`;
    return element("li", {}, element("button", {
      type: "button", "data-word": i, "aria-label": name, "aria-pressed": "false", click: () => choose(i),
    }, above, below));
  });
}

function wordOf([korean, gloss], step = null) {
  const bar = element("span", { class: "bar" }, element("i"));
  if (step !== null) bar.firstChild.style.width = `${100 * Math.exp(step)}%`;
  return element("span", { class: "one" }, element("span", { lang: "ko" }, korean),
    element("span", { class: "gloss" }, gloss), step === null ? null : bar);
}

function key(model) {
  const [first] = model.get("sentences")[0], [reader] = Object.keys(model.get("readers"));
  const probed = Object.keys(first.by[reader].read).length > 0;
  return element("p", { class: "key muted" },
    probed ? element("span", {}, element("span", { class: "lost" }, "word"), " the probe reads another") : null,
    element("span", {}, element("span", { class: "bar" }, element("i")), "probability of the right word"),
    element("span", { class: "wrong" }, "what it says instead"));
}

function growthRows({ stages, reader, at }, go) {
  const known = surenesses(stages, reader);
  return known.map((cells, k) => {
    const { right, of } = tally(stages[k], stages[k].by[reader]);
    const row = button("", () => go(k + 1), {
      class: "stage", "aria-pressed": String(k === at), tabindex: k === at ? 0 : -1,
      "aria-label": `${count(k + 1, "clause")}: ${right} of ${of} words right`,
    });
    row.append(element("span", { class: "many" }, String(k + 1)), ...cells.map(cellOf),
      element("span", { class: "many" }, `${right}/${of}`));
    row.style.gridTemplateColumns = `1.2rem repeat(${cells.length}, minmax(0, 1fr)) 3rem`;
    return row;
  });
}

function cellOf(sure, column) {
  if (sure === null) return element("span");
  const cell = element("span", { class: "sureness", "data-column": column }, element("i"));
  cell.firstChild.style.opacity = sure.toFixed(3);
  return cell;
}

function mark(root, { stage, stages, at, chosen }) {
  const column = columnOf(stages.at(-1), at, inEnglishOrder(stage).indexOf(chosen));
  for (const cell of root.querySelectorAll("[data-column]")) {
    cell.classList.toggle("chosen", Number(cell.dataset.column) === column);
  }
  for (const word of root.querySelectorAll("[data-word]")) {
    word.setAttribute("aria-pressed", String(Number(word.dataset.word) === chosen));
  }
  for (const word of root.querySelectorAll("[data-place]")) {
    word.classList.toggle("chosen", Number(word.dataset.place) === stage.words[chosen][2]);
  }
}

/** In which column of the rows the nth English word of a stage stands. */
function columnOf(last, at, n) {
  const columns = inEnglishOrder(last).map((i, column) => [last.words[i][3], column]);
  return columns.filter(([clause]) => clause <= at)[n][1];
}

function focusBeside(list, step) {
  const all = [...list.querySelectorAll("button")];
  const next = all.indexOf(document.activeElement) + step;
  all[Math.min(Math.max(next, 0), all.length - 1)].focus();
}
