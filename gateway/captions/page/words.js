// Which recognised words the words of a displayed text are: case, full stops and digits were made of them.

const AHEAD = 8; // words that may be written otherwise before one is found again

const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{M}\p{N}]/gu, "");

// Return the pieces of a text: what is between it and the one before, its own text, start and end in samples, and
// confidence.
export function align(text, words) {
  if (!words.length) return [];
  const spaced = text.match(/\s*\S+/g) ?? [];
  const tokens = spaced.length * 2 < words.length ? unspaced(text, words) : spaced;
  const pieces = [];
  let next = 0, waiting = [];
  const settle = (until) => {
    pieces.push(...shared(waiting, words.slice(next, until), pieces.at(-1)?.end ?? words[0].start));
    waiting = [];
  };
  for (const token of tokens) {
    const meant = plain(token);
    const near = words.slice(next, next + AHEAD).findIndex((word) => plain(word.word) === meant);
    if (near < 0) { waiting.push(token); continue; }
    settle(next + near);
    pieces.push(...shared([token], [words[next + near]]));
    next += near + 1;
  }
  settle(words.length);
  return pieces;
}

// Cut a text that has no spaces, such as one in Chinese, where its words begin.
function unspaced(text, words) {
  const cuts = [0], folded = text.toLowerCase();
  for (const { word } of words.slice(1)) {
    const found = folded.indexOf(word.toLowerCase(), cuts.at(-1) + 1);
    if (found > 0) cuts.push(found);
  }
  return cuts.map((cut, index) => text.slice(cut, cuts[index + 1]));
}

// Share the time of some words among tokens; a token is as sure as the least sure of its words.
function shared(tokens, words, now) {
  const start = words[0]?.start ?? now, end = words.at(-1)?.end ?? now;
  const same = tokens.length === words.length;
  const confidence = Math.min(1, ...words.map((word) => word.confidence));
  return tokens.map((token, index) => {
    const body = token.trimStart();
    const span = same ? words[index] : {
      start: start + (end - start) * index / tokens.length,
      end: start + (end - start) * (index + 1) / tokens.length,
      confidence,
    };
    const lead = token.slice(0, token.length - body.length);
    return { lead, text: body, start: span.start, end: span.end, confidence: span.confidence };
  });
}
