// Beam search on a stored part of a model's tree, by the rules of
// lookback/decoding/beam_search.py with n_best = width. Log-probabilities are in nats.

export const END = 0; // the place of the end of sentence in the list of words

/** A stored tree, ready to search: parent, word and log_prob (of the step) by node, node 0
 * the root. Adds total (of the whole prefix), length and children. */
export function readTree({ parent, word, log_prob: steps }) {
  const children = parent.map(() => []);
  const total = [0], length = [0];
  for (let node = 1; node < parent.length; node += 1) {
    total[node] = total[parent[node]] + steps[node];
    length[node] = length[parent[node]] + 1;
    children[parent[node]].push(node);
  }
  return { parent, word, total, length, children };
}

/** The nodes from the first word to a node. */
export function pathTo(tree, node) {
  const path = [];
  for (let at = node; at > 0; at = tree.parent[at]) path.unshift(at);
  return path;
}

/** What hypotheses compete with: log-probability over length to the power alpha. */
export function score(tree, node, alpha) {
  return tree.total[node] / tree.length[node] ** alpha;
}

/** A prefix as it is told: its words, log-probability, score, and whether it has ended. */
export function hypothesis(tree, node, alpha) {
  return {
    words: pathTo(tree, node).map((one) => tree.word[one]),
    log_prob: tree.total[node],
    score: score(tree, node, alpha),
    ended: tree.word[node] === END,
  };
}

/** A beam search on a stored tree, position by position; settings: width, alpha, longest.
 *
 * tree: what readTree gives. columns: for each position, the nodes `kept`, likeliest first,
 * those `dropped` (the next `width`), and `done`, the best finished so far. ranking: the best
 * `width` nodes at the end, finished ones first; best: the same as hypotheses. visited: how
 * many prefixes were continued. */
export function beamSearch(stored, settings) {
  const tree = readTree(stored);
  const found = runBeam(tree, settings);
  const best = found.ranking.map((node) => hypothesis(tree, node, settings.alpha));
  return { tree, ...found, best };
}

function runBeam(tree, { width, alpha, longest }) {
  const columns = [];
  let live = [0], done = [], visited = 0;
  while (columns.length < longest && live.length) {
    visited += live.length;
    const seen = byTotal(tree, live.flatMap((node) => tree.children[node])).slice(0, 2 * width);
    const kept = seen.slice(0, width);
    done = finished(tree, done, kept, width, alpha);
    live = kept.filter((node) => tree.word[node] !== END);
    if (isOver(tree, live, done, { width, alpha, longest })) live = [];
    columns.push({ kept, dropped: seen.slice(width), done });
  }
  return { columns, ranking: [...done, ...live].slice(0, width), visited };
}

function byTotal(tree, nodes) {
  return nodes.sort((a, b) => tree.total[b] - tree.total[a]);
}

function finished(tree, done, kept, width, alpha) {
  const all = [...done, ...kept.filter((node) => tree.word[node] === END)];
  return all.sort((a, b) => score(tree, b, alpha) - score(tree, a, alpha)).slice(0, width);
}

// Whether no live prefix can win any more. A log-probability only falls, and the longest
// sentence has the largest divisor: that is the best that a live prefix can become.
function isOver(tree, live, done, { width, alpha, longest }) {
  if (done.length < width || live.length === 0) return false;
  return tree.total[live[0]] / longest ** alpha <= score(tree, done[width - 1], alpha);
}
