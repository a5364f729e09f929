// Composes an English sentence by typing or picking words that can come next.

import { button, element, setText } from "./toolkit.mjs";
import { instead, nearest, read } from "./english.mjs";
import { quoted } from "./words.mjs";

const ROOM = 60; // words in a sentence
const FEW = 24; // so many words are offered at once, more by kind
const KINDS = {
  person: "people", animal: "animals", food: "food", drink: "drinks", text: "texts",
  sound: "sounds", thing: "things", place: "places",
};

/** Typed text as words of the grammar: no capitals, no full stop. */
export function typedWords(text) {
  return text.toLowerCase().replace(/[.,!?;]/g, " ").split(/\s+/).filter(Boolean);
}

/** The kind of a word, "" for one of a few. */
function kindOf(word, language) {
  if (language.kinds[word]) return KINDS[language.kinds[word]];
  if (language.adjectives.includes(word)) return "adjectives";
  const verb = language.verbs.find((one) => one.word === word);
  return verb ? `verbs, ${verb.tense}` : "";
}

/** Words by kind, in the order of the lexicon: [[kind, words], ...]. */
export function byKind(words, language) {
  const kinds = new Map();
  for (const word of words) {
    const kind = kindOf(word, language);
    kinds.set(kind, [...(kinds.get(kind) ?? []), word]);
  }
  return [...kinds];
}

/** What can come, in a few words: a verb or “that”. */
export function inWords(words, language) {
  const named = words.map((word) => {
    const kind = kindOf(word, language);
    if (!kind) return quoted(word);
    return kind === "adjectives" ? "an adjective" : kind.startsWith("verbs") ? "a verb" : "a noun";
  });
  return new Intl.ListFormat("en-GB", { type: "disjunction" }).format(new Set(named));
}

/** Why a word is not taken: {text, near}, `near` known words that are spelled like it. */
export function refusal(word, allowed, vocabulary, language) {
  if (vocabulary.includes(word))
    return { text: `${quoted(word)} cannot stand here. What can: ${inWords(allowed, language)}.`, near: [] };
  const near = nearest(word, vocabulary);
  const text = `${quoted(word)} is not a word of this small English.`;
  return { text: near.length ? `${text} Near it:` : text, near };
}

/** The part of the figure that composes. changed() is called when `words` are others.
 *
 * It has words; complete, whether they are a sentence; wanted, what can come next; at, the
 * place where a word is being exchanged, or null; set(words); exchange(at). */
export function composer({ language, vocabulary, examples, changed }) {
  const self = { words: [], at: null, complete: false, wanted: "" };
  const label = element("span");
  const input = element("input", { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", enterkeyhint: "done" });
  const note = element("p", { class: "note", "aria-live": "polite" });
  const offered = element("div", { class: "offered" });
  const back = button("take back", () => (self.at === null ? self.set(self.words.slice(0, -1)) : self.exchange(null)));
  const clear = button("clear", () => {
    input.value = "";
    self.set([]);
  });
  const example = button("example", () => {
    const at = examples.indexOf(self.words.join(" "));
    self.set(examples[(at + 1) % examples.length].split(" "));
  });
  let allowed = [], open = "people";

  function offer(word) {
    return button(word, () => pick(word), { class: "offer" });
  }

  /** A kind of words, to open: pressing one shows its words. */
  function heading(kind, words) {
    return button(`${kind} ${words.length}`, () => {
      open = kind;
      draw();
      offered.querySelector("[aria-expanded=true]").focus();
    }, { class: "heading", "aria-expanded": String(kind === open) });
  }

  function draw() {
    const typed = typedWords(input.value).at(-1) ?? "";
    clear.disabled = self.words.length === 0 && input.value === "";
    const fitting = allowed.filter((word) => word.startsWith(typed));
    const kinds = byKind(fitting, language);
    const many = fitting.length > FEW && kinds.length > 1;
    if (many && !kinds.some(([kind]) => kind === open)) open = kinds.find(([kind]) => kind)[0];
    const shown = many ? kinds.filter(([kind]) => !kind || kind === open) : kinds;
    offered.replaceChildren(
      element("div", { class: "headings" }, many && kinds.filter(([kind]) => kind).map((kind) => heading(...kind))),
      element("div", { class: "offers" }, shown.map(([, words]) => words.map(offer))),
    );
  }

  function renew() {
    const { words, at } = self, found = read(words, language);
    Object.assign(self, { complete: found.complete, wanted: inWords(found.next, language) });
    const room = words.length < ROOM ? found.next : [];
    allowed = at === null ? room : instead(words, at, language);
    setText(label, at === null ? "Next word" : `Instead of ${quoted(words[at])}`);
    setText(back, at === null ? "take back" : "done");
    back.disabled = words.length === 0;
    draw();
  }

  function pick(word) {
    const picking = offered.contains(document.activeElement);
    input.value = "";
    note.replaceChildren();
    self.words = self.at === null ? [...self.words, word] : self.words.with(self.at, word);
    renew();
    changed();
    if (picking) offered.querySelector(".offer")?.focus();
  }

  function refuse(word) {
    if (self.at === null && self.words.length >= ROOM)
      return note.replaceChildren(`${ROOM} words are enough for one sentence.`);
    const { text, near } = refusal(word, allowed, vocabulary, language);
    const others = near.map((one) => (allowed.includes(one) ? offer(one) : element("i", {}, one)));
    return note.replaceChildren(text, ...others.flatMap((node) => [" ", node]));
  }

  /** Take the typed words, up to one that cannot be taken. */
  function take() {
    const typed = typedWords(input.value);
    while (typed.length && allowed.includes(typed[0])) pick(typed.shift());
    input.value = typed.join(" ");
    draw();
    if (typed.length) refuse(typed[0]);
  }

  input.addEventListener("input", () => (/\s$/.test(input.value) ? take() : draw()));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") take();
    if (event.key === "Backspace" && input.value === "" && !back.disabled) back.click();
    if (event.key === "Escape") self.exchange(null);
  });

  self.set = (words) => {
    Object.assign(self, { words, at: null });
    note.replaceChildren();
    renew();
    changed();
  };
  self.exchange = (at) => {
    self.at = at;
    renew();
  };
  self.node = element(
    "div", { class: "compose" },
    element("div", { class: "controls" }, element("label", { class: "control field" }, label, input), back, clear, example),
    note, offered,
  );
  return self;
}
