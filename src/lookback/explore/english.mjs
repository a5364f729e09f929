// Reads English as `lookback.data.parser` does, word by word, and says what may come next.
//
// The head comes first and each step is decided by the next word alone. A reader that has
// run out of words notes every word that it would have taken: those can come next.

/** Thrown where a sentence breaks off or goes wrong. */
class Stop extends Error {
  constructor(at) {
    super();
    this.at = at;
  }
}

class Reader {
  constructor(words, language) {
    Object.assign(this, { words, at: 0, language, next: new Set() });
  }

  get word() {
    return this.words[this.at];
  }

  /** Step over the next word if it is one of these, and give it. */
  maybe(...options) {
    if (this.at === this.words.length) options.forEach((word) => this.next.add(word));
    if (!options.includes(this.word)) return undefined;
    return this.words[this.at++];
  }

  take(...options) {
    const word = this.maybe(...options);
    if (word === undefined) throw new Stop(this.at);
    return word;
  }

  sentence() {
    do this.unit();
    while (this.maybe("and", "but"));
    if (this.word !== undefined) throw new Stop(this.at);
  }

  unit() {
    this.clause();
    if (this.maybe("because")) this.clause();
  }

  clause() {
    const tense = this.time();
    this.phrase(true);
    this.predicate({ tense, relative: true });
  }

  /** A time, if one comes next; gives the tense that it asks for, if any. */
  time() {
    let { times } = this.language, n = 0;
    for (; ; n++) {
      const options = new Set(times.filter((t) => t.words[n]).map((t) => t.words[n]));
      const word = this.maybe(...options);
      if (word === undefined) break;
      times = times.filter((t) => t.words[n] === word);
    }
    if (n === 0) return null;
    const found = times.find((t) => t.words.length === n);
    if (!found) throw new Stop(this.at);
    return found.tense;
  }

  /** A noun phrase; gives whether a relative clause closes it. */
  phrase(relative, nouns = this.language.nouns) {
    this.take("the");
    this.maybe(...this.language.adjectives);
    this.take(...nouns);
    const closed = Boolean(relative && this.maybe("that"));
    if (closed) this.relative();
    return closed;
  }

  relative() {
    if (this.maybe("the") === undefined) return this.predicate({});
    this.at--; // the phrase begins with it
    this.phrase(false);
    return this.predicate({ gap: true });
  }

  /** A verb and what follows; a gap stands for an object named before. */
  predicate({ tense = null, relative = false, gap = false }) {
    const frame = this.verb(tense, gap);
    if (!gap && this.object(frame, relative)) return;
    if (this.maybe("with")) this.phrase(false);
    if (frame !== "goal") this.place();
  }

  verb(tense, gap) {
    const fits = (verb) =>
      (!tense || verb.tense === tense) && (!gap || verb.frame === "transitive");
    const verbs = this.language.verbs.filter(fits);
    const word = this.take(...verbs.map((verb) => verb.word));
    return verbs.find((verb) => verb.word === word).frame;
  }

  object(frame, relative) {
    if (frame === "intransitive") return false;
    if (frame === "transitive") return this.phrase(relative);
    this.take("to");
    return this.phrase(relative, Object.values(this.language.places).flat());
  }

  place() {
    const preposition = this.maybe("in", "at");
    if (preposition) this.phrase(false, this.language.places[preposition]);
  }
}

/**
 * What a reader makes of some English words.
 *
 * @param language {nouns, adjectives, verbs: [{word, tense, frame}],
 *   times: [{words, tense}], places: {in, at}}.
 * @returns {right: how many words are right so far, complete: whether they are a sentence,
 *   next: the words that can come after the right ones}.
 */
export function read(words, language) {
  const reader = new Reader(words, language);
  try {
    reader.sentence();
    return { right: words.length, complete: true, next: [...reader.next] };
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop;
    if (stop.at < words.length)
      return { ...read(words.slice(0, stop.at), language), complete: false };
    return { right: stop.at, complete: false, next: [...reader.next] };
  }
}

/** The words that can stand in place `at` of a sentence in place of the one there. */
export function instead(words, at, language) {
  const { next } = read(words.slice(0, at), language);
  const whole = read(words, language).complete;
  return next.filter((word) => {
    const found = read(words.with(at, word), language);
    return found.right === words.length && found.complete === whole;
  });
}

/** How many letters must be changed, added, left out or swapped. */
export function distance(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      rows[i][j] = Math.min(
        rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + !same
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}

/** The few of `words` that are spelled most like this one. */
export function nearest(word, words, few = 3) {
  const measured = words.map((other) => [distance(word, other), other]);
  const bound = Math.max(1, word.length / 3);
  const near = measured.filter(([d]) => d <= bound).sort((a, b) => a[0] - b[0]);
  return near.slice(0, few).map(([, other]) => other);
}
