// The glance: compose an English sentence, see it translated and where each word looked.

import { choice, colour, controls, element, explorable, onTheme, percent, put, select, slider } from "./toolkit.mjs";
import { asset, safetensors } from "./weights.mjs";
import { composer } from "./composer.mjs";
import { EOS, Translator, translate } from "./translator.mjs";
import { glossed, quoted, wordRow } from "./words.mjs";

const SEEN = 0.05; // a share from here on is worth a number
const END = { word: "(end)", gloss: "" };

/** Where the word at {side, index} looked, or how much each word looked at it. */
export function across({ side, index }, weights) {
  return side === "korean" ? weights[index] : weights.map((row) => row[index]);
}

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];

/** Names that tell words of one spelling apart: the second “the”. */
export function toldApart(names) {
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    const twice = names.indexOf(name) !== names.lastIndexOf(name);
    return twice ? `the ${ORDINALS[before] ?? `${before + 1}th`} ${name}` : name;
  });
}

/** Where a word looked, or who looked at it, in words. */
export function inFull(at, { source, target, weights }) {
  const english = toldApart(source.map((word) => (word === END.word ? "the end" : quoted(word))));
  const korean = toldApart(target.map(glossed));
  const [own, others] = at.side === "korean" ? [korean, english] : [english, korean];
  const most = across(at, weights).map((weight, i) => [weight, others[i]])
    .filter(([weight]) => weight >= SEEN).sort((a, b) => b[0] - a[0]).slice(0, 4)
    .map(([weight, name]) => `${name} ${percent(weight)}`).join(", ");
  if (at.side === "korean") return `To write ${own[at.index]} it looked at ${most || "nothing"}.`;
  return most ? `Who looked at ${own[at.index]}? ${most}.` : `No word looked at ${own[at.index]}.`;
}

/** Draws the weights, Korean words downwards, and frames what is looked at. */
function drawMatrix(canvas, weights, at, root) {
  const [rows, columns] = [weights.length, weights[0].length];
  const cell = Math.max(4, Math.min(18, Math.floor(canvas.parentNode.clientWidth / columns)));
  const scale = globalThis.devicePixelRatio || 1, pen = canvas.getContext("2d");
  [canvas.width, canvas.height] = [cell * columns * scale, cell * rows * scale];
  canvas.style.width = `${cell * columns}px`;
  pen.scale(scale, scale);
  for (const [name, share] of [["field", () => 1], ["attention", (weight) => weight]]) {
    pen.fillStyle = colour(root, name);
    weights.forEach((row, t) => row.forEach((weight, s) => {
      pen.globalAlpha = share(weight);
      pen.fillRect(s * cell, t * cell, cell - 1, cell - 1);
    }));
  }
  if (!at) return;
  [pen.globalAlpha, pen.strokeStyle, pen.lineWidth] = [1, colour(root, "ink"), 1];
  if (at.side === "korean") pen.strokeRect(0.5, at.index * cell - 0.5, cell * columns - 1, cell);
  else pen.strokeRect(at.index * cell - 0.5, 0.5, cell, cell * rows - 1);
}

/** Two rows of words and the matrix of their weights; a word that is pointed at or pinned
 * shows where it looked. speak(text) says so in words, pinned(at) that a word was pinned. */
function sight({ root, speak, pinned }) {
  const rows = { english: wordRow("English", false), korean: wordRow("Korean", true) };
  const canvas = element("canvas", { class: "matrix", "aria-hidden": "true" });
  const same = (a, b) => a?.side === b?.side && a?.index === b?.index;
  let found = null, pin = null, hover = null, rest = "";

  function light() {
    const at = found && (hover ?? pin), shares = at ? across(at, found.weights) : [];
    for (const [side, row] of Object.entries(rows)) {
      row.light(at && side !== at.side ? shares : [], SEEN);
      row.press(pin?.side === side ? pin.index : null);
    }
    if (found) drawMatrix(canvas, found.weights, at, root);
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
    const rows = found.weights.length;
    return { side: "korean", index: Math.max(0, Math.min(rows - 1, Math.floor((offsetY / canvas.clientHeight) * rows))) };
  };
  canvas.addEventListener("pointermove", (event) => point(under(event)));
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("click", (event) => choose(under(event)));

  return {
    rows, canvas, light,
    get pin() { return pin; },
    /** Show words and what was found for them; null while they are no sentence. */
    show(words, translation, at, text) {
      [found, pin, hover, rest] = [translation, at, null, text];
      rows.english.fill([...words.map((word) => ({ word })), ...(found ? [END] : [])]);
      rows.korean.fill(found ? found.target : []);
      canvas.hidden = !found;
      light();
    },
  };
}

/** Korean as one writes it: particles attached to the word before. */
function joined(target) {
  const words = target.filter((word) => word !== END);
  return words.map(({ word, attached }) => (attached ? word : ` ${word}`)).join("").trim();
}

export default explorable("glance", "A sentence, its translation, and where each word looked", async (figure) => {
  const { model, root, say, undo, watch } = figure;
  const [language, source, target] = ["language", "source", "target"].map((name) => model.get(name));
  const translators = new Map();
  let translator;

  async function load() {
    const name = model.get("models")[model.get("score")];
    if (!translators.has(name)) {
      const { tensors, metadata } = safetensors(await asset(model, name));
      translators.set(name, new Translator(tensors, JSON.parse(metadata.config)));
    }
    translator = translators.get(name);
  }

  function translated(words) {
    const found = translate(translator, [...words.map((word) => source.indexOf(word)), EOS], {
      width: model.get("decoder") === "beam" ? model.get("width") : 1,
      temperature: model.get("temperature"), longest: model.get("longest"),
    });
    const korean = found.tokens.map((id) => (id === EOS ? END : target[id]));
    return { ...found, source: [...words, END.word], target: korean };
  }

  function update(pin = null) {
    const { words, complete, wanted } = compose;
    if (!complete) return view.show(words, null, null, `Not yet a sentence. Next comes ${wanted}.`);
    const found = translated(words), translation = joined(found.target);
    const end = found.finished ? `The model gives it a probability of ${percent(Math.exp(found.total))}.` : "The model found no end.";
    view.show(words, found, pin, `${translation}. ${end} Point at a word to see where it looked.`);
    const weights = found.weights.map((row) => row.map((weight) => Math.round(weight * 1e6) / 1e6));
    return put(model, { sentence: words.join(" "), translation, weights });
  }

  const view = sight({
    root, speak: say,
    pinned: (at) => compose.exchange(at?.side === "english" && at.index < compose.words.length ? at.index : null),
  });
  const compose = composer({
    language, vocabulary: source.slice(2), examples: model.get("examples"),
    changed: () => update(compose.at === null ? null : { side: "english", index: compose.at }),
  });
  const names = Object.keys(model.get("models"));
  const decoder = choice({
    label: "decoder", options: [["greedy", "greedy"], ["beam", `beam of ${model.get("width")}`]],
    value: model.get("decoder"), change: (decoder) => put(model, { decoder }),
  });
  const score = choice({ label: "score", options: names, value: model.get("score"), change: (score) => put(model, { score }) });
  const temperature = slider({
    label: "temperature of the scores", min: -4, max: 4, value: Math.log2(model.get("temperature")),
    format: (power) => (power < 0 ? `1/${2 ** -power}` : String(2 ** power)), change: (power) => put(model, { temperature: 2 ** power }),
  });

  root.append(
    view.rows.english.node, view.rows.korean.node,
    element("div", { class: "below" }, compose.node, element("div", { class: "seen" }, view.canvas, controls(decoder, names.length > 1 && score, temperature))),
  );
  await load();
  watch(["sentence"], () => {
    if (model.get("sentence") !== compose.words.join(" ")) compose.set(model.get("sentence").split(" "));
  });
  watch(["decoder", "width", "temperature", "score"], async () => {
    decoder.set(model.get("decoder"));
    score.set(model.get("score"));
    temperature.set(Math.log2(model.get("temperature")));
    await load();
    update(view.pin ?? { side: "korean", index: 0 });
  });
  const size = new ResizeObserver(() => view.light());
  size.observe(root);
  undo.push(onTheme(() => view.light()), () => size.disconnect());
});
