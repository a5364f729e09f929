// Words that one can point at, and how to speak of them.

import { element, percent, setText } from "./toolkit.mjs";

export const quoted = (text) => `“${text}”`;

/** How one speaks of a word: “book”, 책 (book), the end. */
export function named({ word, gloss }) {
  const mark = /^\((.*)\)$/;
  if (mark.test(word)) return word.replace(mark, "the $1");
  return gloss ? `${word} (${gloss.replace(mark, "$1")})` : quoted(word);
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

// A Korean word has a gloss, if an empty one, and stands below its share.
function wordButton({ word, gloss, attached = false }, index) {
  const korean = gloss !== undefined;
  const share = element("span", { class: "share", "aria-hidden": "true" });
  const own = element("span", { class: "own", lang: korean && gloss ? "ko" : null }, word);
  const said = korean && element("span", { class: "gloss" }, gloss || "\u00a0");
  return element("button", {
    type: "button", class: attached ? "word attached" : "word", "aria-pressed": "false",
    tabindex: index === 0 ? 0 : -1,
  }, korean ? [share, own, said] : [own, share]);
}

/** Buttons for words, in groups that stay on one line: a word and what is attached to it. */
function written(words) {
  const groups = [];
  words.forEach((word, i) => {
    if (!word.attached || i === 0) groups.push(element("span", { class: "unit" }));
    groups.at(-1).append(wordButton(word, i));
  });
  return groups;
}

/** A row of words with one tab stop; arrow keys go along it.
 *
 * fill(words) shows words, {word} or {word, gloss, attached}; light(weights, least) shades them and says the
 * shares from `least` on; press(index) marks one. listen({hover, pin}): both are called with
 * an index, or null where the pointer or the focus has left. */
export function wordRow(label) {
  const node = element("div", { class: "words", role: "toolbar", "aria-label": label });
  const buttons = () => [...node.querySelectorAll("button")];
  const under = (event) => buttons().indexOf(event.target.closest("button"));

  node.addEventListener("keydown", (event) => {
    const all = buttons(), at = all.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (!all[to]) return;
    event.preventDefault();
    all[to].focus();
  });
  node.addEventListener("focusin", (event) => buttons().forEach((button) => {
    button.tabIndex = button === event.target ? 0 : -1;
  }));

  return {
    node,
    fill(words) {
      const at = buttons().indexOf(document.activeElement);
      node.replaceChildren(...written(words));
      if (at >= 0) buttons()[Math.min(at, words.length - 1)]?.focus();
    },
    light(weights, least) {
      node.classList.toggle("lit", weights.length > 0);
      buttons().forEach((button, i) => {
        button.style.setProperty("--weight", weights[i] ?? 0);
        setText(button.querySelector(".share"), weights[i] >= least ? percent(weights[i]) : "");
      });
    },
    press(index) {
      buttons().forEach((button, i) => button.setAttribute("aria-pressed", i === index));
    },
    listen({ hover, pin }) {
      const over = (event) => { if (under(event) >= 0) hover(under(event)); };
      node.addEventListener("pointerover", (event) => { if (event.pointerType === "mouse") over(event); });
      node.addEventListener("pointerleave", () => hover(null));
      node.addEventListener("focusin", over);
      node.addEventListener("focusout", () => hover(null));
      node.addEventListener("click", (event) => { if (under(event) >= 0) pin(under(event)); });
      node.addEventListener("keydown", (event) => { if (event.key === "Escape") pin(null); });
    },
  };
}
