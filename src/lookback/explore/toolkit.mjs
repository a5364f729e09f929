// What the explorables share. Text enters the page through textContent only.
//
//   export default explorable("name", "What it is, for a screen reader", (figure) => {
//     figure.root.append(slider({ label: "temperature", min: 0, max: 1, step: 0.1, value: 1,
//       change: (value) => put(figure.model, { temperature: value }) }));
//     figure.watch(["temperature"], () => figure.say(`…`));
//   });

/** An anywidget that draws once, says when it is ready, and cleans up after itself.
 *
 * draw(figure) fills figure.root, and may be async. figure has
 *   model          the traits: model.get("name"), put(model, { name: value });
 *   root           the container, [data-explorable=NAME];
 *   say(text)      what is shown, in words: stands below the figure, read out when it changes;
 *   watch(names, redraw)  calls redraw now and whenever one of the traits changes;
 *   onTheme(redraw)       calls redraw when light and dark change (for canvas only);
 *   undo           a list of functions to call at the end.
 */
export function explorable(name, label, draw) {
  async function render({ model, el }) {
    const says = element("p", { class: "says", "aria-live": "polite" });
    const root = element("div", {
      class: "explorable", "data-explorable": name, role: "group", "aria-label": label,
    });
    const undo = [];
    el.replaceChildren(root);
    await draw({
      model, root, undo,
      say: speaker(says),
      watch: (names, redraw) => undo.push(watch(model, names, redraw)),
      onTheme: (redraw) => undo.push(onTheme(redraw)),
    });
    root.append(says);
    root.dataset.ready = "true";
    return () => undo.forEach((end) => end());
  }
  return { render };
}

// --- elements ---------------------------------------------------------------------------

/** element("p", { class: "a", hidden: false }, "text", child): a new HTML element.
 *
 * An attribute that is a function listens to the event of that name; true is an empty
 * attribute; false, null and undefined leave it out. Children are nodes, text, or lists. */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (/^on/i.test(name)) throw new TypeError(`${name} must be a function, not text`);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

/** Sets the text of a node, if it differs. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let identifiers = 0;

/** An id that no other element of the page has. */
export function uniqueId() {
  return `explorable-${Math.random().toString(36).slice(2, 8)}-${(identifiers += 1)}`;
}

// Speaks the last of a burst of texts, so that a drag is not read out step by step.
function speaker(node, pause = 150) {
  let timer;
  return (text) => {
    clearTimeout(timer);
    if (node.textContent === "") node.textContent = text;
    else timer = setTimeout(() => setText(node, text), pause);
  };
}

// --- controls ---------------------------------------------------------------------------

/** A row of controls. */
export function controls(...children) {
  return element("div", { class: "controls" }, ...children);
}

/** A labelled slider. change(number) is called while it moves; node.set(number) moves it, and
 * says that number, also where the slider itself has only one near it. */
export function slider({ label, min, max, step = 1, value, change, format = String }) {
  const shown = element("span", { class: "value" }, format(value));
  const input = element("input", {
    type: "range", min, max, step, value,
    "aria-valuetext": format(value),
    input: () => { show(input.valueAsNumber); change(input.valueAsNumber); },
  });
  function show(number) {
    setText(shown, format(number));
    input.setAttribute("aria-valuetext", format(number));
  }
  const node = element("label", { class: "control" }, element("span", {}, label, " ", shown), input);
  node.set = (number) => { input.value = number; show(number); };
  return node;
}

/** A labelled drop-down list. options: texts, or [value, text] pairs. */
export function select({ label, options, value, change }) {
  const entries = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  const list = element(
    "select", { change: () => change(list.value) },
    entries.map(([key, text]) => element("option", { value: key, selected: key === value }, text)),
  );
  const node = element("label", { class: "control" }, element("span", {}, label), list);
  node.set = (key) => { list.value = key; };
  return node;
}

/** A few options side by side, one of them chosen. options as for select. */
export function choice({ label, options, value, change }) {
  const name = uniqueId();
  const entries = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  const radios = entries.map(([key]) => element("input", {
    type: "radio", name, value: key, checked: key === value, change: () => change(key),
  }));
  const node = element(
    "fieldset", { class: "control choice" }, element("legend", {}, label),
    element("div", {}, entries.map(([, text], i) => element("label", {}, radios[i], element("span", {}, text)))),
  );
  node.set = (key) => radios.forEach((radio) => { radio.checked = radio.value === key; });
  return node;
}

/** A button. */
export function button(label, press, attributes = {}) {
  return element("button", { type: "button", click: press, ...attributes }, label);
}

/** A labelled line of text. change(text) is called while it is typed. */
export function field({ label, value = "", change, ...attributes }) {
  const input = element("input", {
    type: "text", value, autocomplete: "off", spellcheck: "false",
    input: () => change(input.value), ...attributes,
  });
  const node = element("label", { class: "control field" }, element("span", {}, label), input);
  node.set = (text) => { if (input.value !== text) input.value = text; };
  return node;
}

// --- traits -----------------------------------------------------------------------------

/** Sets traits and tells Python, if there is one. */
export function put(model, traits) {
  for (const [name, value] of Object.entries(traits)) model.set(name, value);
  model.save_changes();
}

/** Calls redraw now and whenever one of the traits changes; returns how to end that. */
export function watch(model, names, redraw) {
  const again = () => redraw();
  for (const name of names) model.on(`change:${name}`, again);
  redraw();
  return () => names.forEach((name) => model.off(`change:${name}`, again));
}

/** A Bytes trait as numbers: float32(model.get("data")). It may start at any byte. */
export function float32(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

// --- hands ------------------------------------------------------------------------------

/** Follows a finger, pen or mouse: start(event), move(event), end(event), each optional.
 *
 * The target must have `touch-action: none` in the style (class "drag") for fingers. */
export function drag(target, { start = () => {}, move = () => {}, end = () => {} }) {
  let held = null;
  target.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || held !== null || start(event) === false) return;
    held = event.pointerId;
    target.setPointerCapture(held);
    event.preventDefault();
    target.focus?.({ preventScroll: true });
  });
  target.addEventListener("pointermove", (event) => { if (event.pointerId === held) move(event); });
  for (const over of ["pointerup", "pointercancel"]) {
    target.addEventListener(over, (event) => {
      if (event.pointerId !== held) return;
      held = null;
      end(event);
    });
  }
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Arrow keys on a focusable target: step(dx, dy, event), with y downwards. */
export function arrows(target, step) {
  target.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    step(...STEPS[event.key], event);
  });
}

/** Where an event is in an SVG or canvas, in its own coordinates (viewBox, or width x height). */
export function place(event, target) {
  const box = target.getBoundingClientRect();
  const view = target.viewBox?.baseVal;
  const [x, y, width, height] = view?.width
    ? [view.x, view.y, view.width, view.height]
    : [0, 0, box.width, box.height];
  return [
    x + ((event.clientX - box.left) / box.width) * width,
    y + ((event.clientY - box.top) / box.height) * height,
  ];
}

// --- colours and movement -----------------------------------------------------------------

/** A colour of the book as it is now, for canvas: colour(root, "attention"). In SVG and
 * style use var(--attention) instead. */
export function colour(root, name) {
  return getComputedStyle(root).getPropertyValue(`--${name.replaceAll(" ", "-")}`).trim();
}

/** Calls redraw when light and dark change; returns how to end that. */
export function onTheme(redraw) {
  const observer = new MutationObserver(() => redraw());
  const attributeFilter = ["data-theme", "theme", "data-jp-theme-light", "class"];
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributeFilter });
  }
  const system = matchMedia("(prefers-color-scheme: dark)");
  const again = () => redraw();
  system.addEventListener("change", again);
  return () => { observer.disconnect(); system.removeEventListener("change", again); };
}

/** True where the reader asked for less movement: then draw the end at once. */
export function stillness() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// --- numbers ------------------------------------------------------------------------------

/** Softmax of a list of scores; -Infinity gets 0. */
export function softmax(scores) {
  const most = Math.max(...scores);
  const exponentials = Array.from(scores, (score) => Math.exp(score - most));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

/** 0.347 -> "35 %", with a space that does not break. */
export function percent(share) {
  return `${Math.round(100 * share)}\u00a0%`;
}
