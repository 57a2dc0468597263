// The lines of a transcript on the page. Text of events becomes text nodes, never markup.

import { align } from "./words.js";

const UNSURE = 0.75, DOUBTFUL = 0.45; // probabilities below which a word is marked
const PAUSE = 30_000; // milliseconds after which the time is shown again

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const percent = new Intl.NumberFormat([], { style: "percent" });

export function element(tag, name, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...children);
  return made;
}

export class View {
  query = "";
  #changed = new Set();
  #later = new Set(); // lines that have changed while it was held still
  #items = new Map(); // elements, by line
  #frame = 0;
  #held = false;

  // drawn: is called whenever lines were drawn, with how many are found.
  constructor(list, transcript, drawn) {
    Object.assign(this, { list, transcript, drawn });
  }

  change(line) {
    if (this.#held) this.#later.add(line);
    else this.#soon([line]);
  }

  // While it is held still, changes wait.
  hold(on) {
    this.#held = on;
    if (!on) this.#soon(this.#later);
    this.#later.clear();
  }

  // Draw all lines again: what is shown of them has changed.
  all() {
    this.#soon(this.#items.keys());
  }

  #soon(lines) {
    for (const line of lines) this.#changed.add(line);
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  shows(line) {
    return this.transcript.shown(line) && line.text.toLowerCase().includes(this.query);
  }

  get shown() {
    return this.transcript.lines.filter((line) => this.shows(line));
  }

  #draw() {
    this.#frame = 0;
    for (const line of this.#changed) {
      if (line.gone) { this.#items.get(line)?.remove(); this.#items.delete(line); continue; }
      if (!this.#items.has(line)) this.#insert(line);
      this.#fill(this.#items.get(line), line);
    }
    this.#changed.clear();
    this.drawn(this.#mark());
  }

  #insert(line) {
    const item = element("li", "line");
    this.#items.set(line, item);
    this.list.append(item);
  }

  #fill(item, line) {
    const { lines, streams } = this.transcript, stream = streams.get(line.stream);
    const before = lines[lines.indexOf(line) - 1];
    const turn = !before || before.stream !== line.stream || line.time - before.time > PAUSE;
    item.className = ["line", turn && "turn", line.note && "note", !line.final && "open"].filter(Boolean).join(" ");
    item.style.setProperty("--hue", stream?.hue ?? 0);
    item.hidden = !this.shows(line);
    const time = element("time", "", clock.format(line.time));
    time.dateTime = new Date(line.time).toISOString();
    const text = element("p", "text", ...(line.final ? this.#words(line) : [line.text.slice(0, line.firm)]));
    text.dir = "auto";
    if (!line.final) text.append(element("span", "rest", line.text.slice(line.firm)));
    const named = turn && stream && streams.size > 1;
    item.replaceChildren(time, ...(named ? [element("span", "name", line.stream)] : []), text);
  }

  // The words of a final; those that may be wrong are marked, where confidences are probabilities.
  *#words(line) {
    const sure = !this.transcript.calibrated || line.words.every((word) => word.confidence >= UNSURE);
    if (sure) { yield line.text; return; }
    for (const piece of align(line.text, line.words)) {
      yield piece.lead;
      if (piece.confidence >= UNSURE) { yield piece.text; continue; }
      const word = element("span", piece.confidence < DOUBTFUL ? "doubtful" : "unsure", piece.text);
      word.title = `${percent.format(piece.confidence)} sure`;
      yield word;
    }
  }

  // Mark what is searched for; return how often it was found, or null.
  #mark() {
    const ranges = [];
    for (const [line, item] of this.query ? this.#items : []) {
      if (!item.hidden && !line.note) ranges.push(...matches(item.querySelector(".text"), this.query));
    }
    if (globalThis.Highlight) CSS.highlights.set("found", new Highlight(...ranges));
    return this.query ? ranges.length : null;
  }
}

function* matches(element, query) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), nodes = [];
  let text = "";
  while (walker.nextNode()) {
    nodes.push([walker.currentNode, text.length]);
    text += walker.currentNode.data;
  }
  const place = (index) => {
    const [node, start] = nodes.findLast(([, from]) => from <= index);
    return [node, Math.min(index - start, node.length)];
  };
  const folded = text.toLowerCase();
  for (let index = folded.indexOf(query); index >= 0; index = folded.indexOf(query, index + query.length)) {
    const range = new Range();
    range.setStart(...place(index));
    range.setEnd(...place(index + query.length));
    yield range;
  }
}
