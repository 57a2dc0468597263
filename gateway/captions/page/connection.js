// A WebSocket of events that connects again by itself, and then asks for what it has missed.

const FIRST = 500, MOST = 10_000; // milliseconds between tries
const SILENCE = 10_000; // milliseconds without a message, of which there is one a second, after which nobody is there
const FITS = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/; // what a subprotocol may be made of

export const address = (path, query = {}) => {
  const url = new URL(path, document.baseURI);
  url.hash = url.search = "";
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  return url;
};

export function open(query, token) {
  const url = address("ws", query);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (!token) return new WebSocket(url);
  if (FITS.test(token)) return new WebSocket(url, ["asrd", `openai-insecure-api-key.${token}`]);
  url.searchParams.set("token", token);
  return new WebSocket(url);
}

// Why a connection is refused: a browser does not tell that of a WebSocket. null if it is not.
export async function refusal(token) {
  const stop = new AbortController();
  try {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const answer = await fetch(address("events", { types: "stopped" }), { headers, signal: stop.signal });
    if (answer.ok) return null;
    const { error } = await answer.json();
    return { status: answer.status, message: error.message };
  } catch {
    return null; // nobody is there
  } finally {
    stop.abort();
  }
}

export class Connection {
  #socket = null;
  #mark = "";
  #wait = FIRST;
  #timer = 0;
  #watch = 0;

  // query: what to listen to. take: is given each event. tell: is given a state, "connecting", "live", "away" or
  // "refused", and of the last one what the server says.
  constructor(query, { take, tell, token = "" }) {
    Object.assign(this, { query, take, tell, token });
    addEventListener("online", () => this.#again(0));
  }

  open() {
    clearTimeout(this.#timer);
    const { ago, ...query } = this.query;
    const socket = this.#socket = open({ ...query, ...(this.#mark ? { since: this.#mark } : { ago }) }, this.token);
    let opened = false;
    socket.onopen = () => { opened = true; this.#alive(socket); };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#alive(socket);
      const event = JSON.parse(data);
      if (event.daemon && Number.isInteger(event.seq)) this.#mark = `${event.seq}@${event.daemon}`;
      if (this.#wait !== FIRST || event.greeting) { this.#wait = FIRST; this.tell("live"); }
      this.take(event);
    };
    socket.onclose = () => this.#lost(socket, opened);
  }

  #alive(socket) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#lost(socket, true), SILENCE);
  }

  async #lost(socket, opened) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#watch);
    socket.close();
    const why = opened ? null : await refusal(this.token);
    if (this.#socket) return;
    if (why && why.status < 429) return this.tell("refused", why);
    this.tell("away", why);
    this.#again(this.#wait * (0.8 + 0.4 * Math.random()));
    this.#wait = Math.min(2 * this.#wait, MOST);
  }

  #again(milliseconds) {
    if (this.#socket) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), milliseconds);
  }
}
