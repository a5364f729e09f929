// Sets the formulas of a page one at a time, those on the screen first, so that a slow
// phone can scroll meanwhile. MathJax is loaded once the text has been drawn.

const waiting = new Set(document.querySelectorAll("article .math"));
const near = new Set();

const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (isIntersecting) near.add(target);
    else near.delete(target);
  }
}, { rootMargin: "300px" });

/** The next formula to set: one that can be seen, else the first that waits. */
function next() {
  const formula = [...near].find((one) => waiting.has(one)) ?? [...waiting][0];
  watcher.unobserve(formula);
  near.delete(formula);
  waiting.delete(formula);
  return formula;
}

function turn() {
  return new Promise((resolve) => {
    if (window.requestIdleCallback) requestIdleCallback(resolve, { timeout: 100 });
    else setTimeout(resolve);
  });
}

async function begin() {
  while (waiting.size) {
    await turn();
    if (waiting.size) await MathJax.typesetPromise([next()]);
  }
  document.documentElement.dataset.formulas = "set";
}

/** On paper no formula may be missing. */
function hurry() {
  if (!window.MathJax?.typeset || !waiting.size) return;
  MathJax.typeset([...waiting]);
  waiting.clear();
}

function load() {
  waiting.forEach((formula) => watcher.observe(formula));
  window.MathJax = { ...window.MathJax, startup: { typeset: false, ready() {
    MathJax.startup.defaultReady();
    MathJax.startup.promise.then(begin);
  } } };
  const src = new URL("mathjax/tex-chtml.js", import.meta.url);
  document.head.append(Object.assign(document.createElement("script"), { src }));
}

addEventListener("beforeprint", hurry);
if (document.readyState === "complete") load();
else addEventListener("load", load);
