// Brings the explorables of a page to life, without a kernel.
//
// The build leaves a picture for each, [data-widget=ID], and the stored widget states as
// JSON. When one comes near the screen, its module (`_esm`) is loaded and drawn in the
// picture's place. A model has what anywidget's models have: get, set, on, off,
// save_changes, and send, which answers requests for weights.

const STATES = 'script[type="application/vnd.jupyter.widget-state+json"]';

export class Model {
  #state;
  #listeners = new Map();

  constructor(state) {
    this.#state = state;
  }

  get(name) {
    return this.#state[name];
  }

  set(name, value) {
    if (typeof name === "object") {
      Object.entries(name).forEach(([key, one]) => this.set(key, one));
    } else if (this.#state[name] !== value) {
      this.#state[name] = value;
      this.#tell(`change:${name}`, this, value);
      this.#tell("change", this);
    }
  }

  save_changes() {}

  on(names, callback) {
    for (const name of names.split(" ")) {
      if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
      this.#listeners.get(name).add(callback);
    }
  }

  /** As Backbone has it: without a callback, or without a name, all of them. */
  off(names, callback) {
    for (const name of names ? names.split(" ") : [...this.#listeners.keys()]) {
      if (callback) this.#listeners.get(name)?.delete(callback);
      else this.#listeners.delete(name);
    }
  }

  async send(content) {
    const name = content?.asset;
    if (!name) return;
    try {
      const answer = await fetch(new URL(`weights/${name}.safetensors`, import.meta.url));
      if (!answer.ok) throw new Error(`${answer.status} for the weights of ${name}`);
      const bytes = new DataView(await answer.arrayBuffer());
      this.#tell("msg:custom", { asset: name }, [bytes]);
    } catch (error) {
      this.#tell("msg:custom", { asset: name, error: error.message }, []);
    }
  }

  #tell(name, ...given) {
    for (const callback of [...(this.#listeners.get(name) ?? [])]) callback(...given);
  }
}

/** A stored state with its binary buffers put back where they belong. */
export function restored({ state, buffers = [] }) {
  const whole = structuredClone(state);
  for (const { path, data, encoding } of buffers) {
    const parent = path.slice(0, -1).reduce((node, key) => node[key], whole);
    parent[path.at(-1)] = new DataView(decoded(data, encoding).buffer);
  }
  return whole;
}

function decoded(text, encoding) {
  if (encoding === "hex") return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Loads a widget's module and style and draws it into `el`. */
export async function mount(stored, el) {
  const state = restored(stored);
  style(state._css);
  const url = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
  const { default: given } = await import(url);
  URL.revokeObjectURL(url);
  const widget = typeof given === "function" ? await given() : given;
  const model = new Model(state);
  await widget.initialize?.({ model });
  await widget.render?.({ model, el });
  return model;
}

const styled = new Set();

function style(css) {
  if (!css || styled.has(css)) return;
  styled.add(css);
  document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
}

async function replace(picture, states) {
  const el = document.createElement("div");
  el.hidden = true;
  picture.after(el);
  try {
    await mount(states[picture.dataset.widget], el);
    el.hidden = false;
    picture.remove();
  } catch (error) {
    el.remove();
    console.error(`The explorable ${picture.dataset.widget} could not start:`, error);
  }
}

function begin() {
  const texts = [...document.querySelectorAll(STATES)].map((script) => script.textContent);
  const states = Object.assign({}, ...texts.map((text) => JSON.parse(text).state));
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      replace(target, states);
    }
  }, { rootMargin: "300px" });
  document.querySelectorAll("[data-widget]").forEach((picture) => near.observe(picture));
}

if (globalThis.document) begin();
