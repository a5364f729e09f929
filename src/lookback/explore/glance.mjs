// The glance: compose an English sentence, see it translated and where each word looked.

import { choice, controls, element, explorable, percent, put, slider } from "./toolkit.mjs";
import { asset, safetensors } from "./weights.mjs";
import { composer } from "./composer.mjs";
import { sight } from "./sight.mjs";
import { EOS, Translator, translate } from "./translator.mjs";

const END = { word: "(end)" }, KOREAN_END = { ...END, gloss: "" };

/** Korean as one writes it: particles attached to the word before. */
function joined(target) {
  const words = target.filter((word) => word !== KOREAN_END);
  return words.map(({ word, attached }) => (attached ? word : ` ${word}`)).join("").trim();
}

export default explorable("glance", "A sentence, its translation, and where each word looked", async (figure) => {
  const { model, root, say, undo, watch, onTheme } = figure;
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
    const rows = found.tokens.map((id) => (id === EOS ? KOREAN_END : target[id]));
    return { ...found, rows, columns: [...words.map((word) => ({ word })), END], looks: (own) => `To write ${own} it looked at` };
  }

  function update(pin = null) {
    const { words, complete, wanted } = compose;
    if (!complete) return view.wait(words.map((word) => ({ word })), `Not yet a sentence. Next comes ${wanted}.`);
    const found = translated(words), translation = joined(found.rows);
    const end = found.finished ? `The model gives it a probability of ${percent(Math.exp(found.total))}.` : "The model found no end.";
    view.show(found, pin, `${translation}. ${end} Point at a word to see where it looked.`);
    const weights = found.weights.map((row) => row.map((weight) => Math.round(weight * 1e6) / 1e6));
    return put(model, { sentence: words.join(" "), translation, weights });
  }

  const view = sight({
    root, speak: say, labels: { columns: "English", rows: "Korean" },
    pinned: (at) => compose.exchange(at?.side === "columns" && at.index < compose.words.length ? at.index : null),
  });
  const compose = composer({
    language, vocabulary: source.slice(2), examples: model.get("examples"),
    changed: () => update(compose.at === null ? null : { side: "columns", index: compose.at }),
  });
  const names = Object.keys(model.get("models"));
  const decoder = choice({
    label: "decoder", options: [["greedy", "greedy"], ["beam", `beam of ${model.get("width")}`]],
    value: model.get("decoder"), change: (decoder) => put(model, { decoder }),
  });
  const score = choice({ label: "score", options: names, value: model.get("score"), change: (score) => put(model, { score }) });
  const temperature = slider({
    label: "temperature of the scores", min: -4, max: 4, value: Math.log2(model.get("temperature")),
    format: (power) => (power < 0 ? "1/" : "") + Number((2 ** Math.abs(power)).toPrecision(3)), change: (power) => put(model, { temperature: 2 ** power }),
  });

  root.append(
    view.rows.columns.node, view.rows.rows.node,
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
    update(view.pin ?? { side: "rows", index: 0 });
  });
  const size = new ResizeObserver(() => view.light());
  size.observe(root);
  onTheme(() => view.light());
  undo.push(() => size.disconnect());
});
