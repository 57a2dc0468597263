// What was said, made of events. It knows nothing of the page.

const MOST = 5000; // lines that are kept
const PAST = 5; // seconds before a greeting in which what was said still counts as live

const milliseconds = (samples) => samples / 16;

export class Transcript {
  lines = []; // in the order in which they began
  streams = new Map(); // hue and whether it is shown, by name
  calibrated = false;
  language = "";
  #lines = new Map(); // by key
  #anchors = new Map(); // when position 0 of each stream was, in milliseconds since 1970
  #daemon = "";
  #greeted = 0; // when the daemon greeted, by its own clock

  // changed: is given each line that has changed, and those that were removed. said: is given each final that comes
  // live. stirred: is called when a stream appears or goes.
  constructor({ changed, said = () => {}, stirred = () => {} }) {
    Object.assign(this, { changed, said, stirred });
  }

  take(event) {
    switch (event.type) {
      case "status": return this.#greet(event);
      case "partial": return this.#hear(event, false);
      case "final": return this.#hear(event, true);
      case "gap": {
        const length = (milliseconds(event.end - event.start) / 1000).toFixed(1);
        return this.#note(event, `${length} s were not heard: ${event.reason}`);
      }
      case "paused": return this.#note(event, "paused");
      case "resumed": return this.#note(event, "resumed");
      case "ended": return this.#end(event);
      case "error": return this.#note(event, event.message);
      case "hole":
        this.#conclude(() => true);
        return this.#note({ ...event, seq: `hole ${event.first}`, time: Date.now() / 1000 }, "Captions may be missing here.");
      case "heartbeat": // of another daemon: what it knows of the one before was told by now
        if (event.daemon !== this.#daemon) this.#conclude((line) => line.daemon !== event.daemon);
        this.#daemon = event.daemon;
    }
  }

  shown(line) {
    return this.streams.get(line.stream)?.shown ?? true;
  }

  #greet({ greeting, time, calibrated, language }) {
    if (!greeting) return;
    this.#greeted = time;
    Object.assign(this, { calibrated, language });
  }

  // Whether an event was published before the page could know of it.
  #late(event) {
    return event.time < this.#greeted - PAST;
  }

  #hear(event, final) {
    const key = `${event.daemon}/${event.stream}/${event.utterance}`;
    const known = this.#lines.get(key);
    if (known?.final) return;
    const text = event.display || event.text;
    if (!text) return final && known ? this.#remove(known) : undefined;
    const late = this.#late(event), line = known ?? this.#add(key, event, this.#begun(event));
    const stable = event.display ? event.display_stable : event.stable;
    Object.assign(line, { text, final, firm: final ? text.length : stable, words: event.words, late });
    this.changed(line);
    if (final && !late) this.said(line);
  }

  // When an utterance began: its last speech was captured at a time that is known.
  #begun(event) {
    const anchor = `${event.daemon}/${event.stream}`, spoken = event.speech_end ?? event.end;
    if (!this.#anchors.has(anchor)) this.#anchors.set(anchor, 1000 * event.stages.heard - milliseconds(spoken));
    return this.#anchors.get(anchor) + milliseconds(event.start);
  }

  #note(event, text) {
    const key = `${event.daemon}/note/${event.seq}`;
    if (this.#lines.has(key)) return;
    const line = this.#add(key, event, 1000 * event.time);
    Object.assign(line, { note: true, final: true, late: this.#late(event), text, words: [] });
    this.changed(line);
  }

  #add(key, event, time) {
    const { daemon, stream = "", start = 0 } = event;
    const line = { key, daemon, stream, time, zero: time - milliseconds(start) };
    this.#lines.set(key, line);
    this.lines.push(line);
    if (stream && stream !== "daemon" && !this.streams.has(stream)) {
      this.streams.set(stream, { hue: this.#hue(stream), shown: true, ended: false });
      this.stirred();
    }
    while (this.lines.length > MOST) this.#remove(this.lines[0]);
    return line;
  }

  #remove(line) {
    line.gone = true;
    this.#lines.delete(line.key);
    this.lines.splice(this.lines.indexOf(line), 1);
    this.changed(line);
    this.#forget(line.stream);
  }

  #end({ daemon, stream }) {
    this.#anchors.delete(`${daemon}/${stream}`);
    if (this.streams.has(stream)) this.streams.get(stream).ended = true;
    this.#forget(stream);
  }

  // Forget a stream that has ended once nothing is left of it.
  #forget(stream) {
    if (!this.streams.get(stream)?.ended || this.lines.some((line) => line.stream === stream)) return;
    this.streams.delete(stream);
    this.stirred();
  }

  // Let lines stand as they are whose finals will not come.
  #conclude(stale) {
    for (const line of this.lines.filter((line) => !line.final && stale(line))) {
      Object.assign(line, { final: true, firm: line.text.length, text: `${line.text} …` });
      this.changed(line);
    }
  }

  // A name has the same colour everywhere, unless another one has it already.
  #hue(stream) {
    const hues = [217, 24, 150, 282, 342, 52, 188, 90], taken = new Set([...this.streams.values()].map(({ hue }) => hue));
    const first = [...stream].reduce((sum, letter) => (31 * sum + letter.codePointAt(0)) % 8191, 0);
    const wheel = hues.map((_, index) => hues[(first + index) % hues.length]);
    return wheel.find((hue) => !taken.has(hue)) ?? wheel[0];
  }
}
