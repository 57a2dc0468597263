// Captions alone, for a video: the last lines of what is said.

import { Connection } from "./connection.js";
import { kept } from "./token.js";
import { Transcript } from "./transcript.js";

const KEPT = 6; // utterances on the page; all but the last lines are cut off

const parameters = new URLSearchParams(location.search);
const number = (name, otherwise) => {
  const found = parseFloat(parameters.get(name));
  return found >= 0 ? found : otherwise;
};
const hold = 1000 * number("hold", 8); // milliseconds that captions stay in a silence; 0: until the next

const captions = document.getElementById("captions");
const root = document.documentElement.style;
root.setProperty("--size", `${number("size", 48)}px`);
root.setProperty("--lines", Math.max(1, number("lines", 2)));
captions.classList.toggle("top", parameters.get("at") === "top");
captions.classList.toggle("left", parameters.get("align") === "left");
captions.classList.toggle("plain", parameters.get("box") === "0");

const items = new Map(); // elements, by line
let timer = 0;

function show(line) {
  if (line.gone) return drop(line);
  if (line.note || !items.has(line) && line.late) return;
  if (!items.has(line)) append(line);
  const [firm, rest] = items.get(line).firstElementChild.childNodes;
  firm.data = line.text.slice(0, line.firm);
  rest.textContent = line.text.slice(line.firm);
  clearTimeout(timer);
  if (hold) timer = setTimeout(() => [...items.keys()].forEach(drop), hold);
}

function append(line) {
  const said = document.createElement("p"), text = document.createElement("span"), rest = document.createElement("span");
  said.className = "said";
  rest.className = "rest";
  text.append(document.createTextNode(""), rest);
  said.append(text);
  if (transcript.streams.size > 1) {
    said.style.setProperty("--hue", transcript.streams.get(line.stream)?.hue ?? 0);
    said.style.setProperty("--strength", "90%");
  }
  captions.append(said);
  items.set(line, said);
  if (items.size > KEPT) drop(items.keys().next().value);
}

function drop(line) {
  items.get(line)?.remove();
  items.delete(line);
}

const transcript = new Transcript({ changed: show });
const connection = new Connection({ listen: "all", stream: parameters.get("stream") }, {
  token: kept(),
  take: (event) => transcript.take(event),
  tell: (state, why) => { captions.dataset.state = state; if (state === "refused") tell(why.message); },
});

// A video shows no errors, except that it can never show captions.
function tell(message) {
  captions.replaceChildren();
  const said = captions.appendChild(document.createElement("p"));
  said.className = "said";
  said.appendChild(document.createElement("span")).textContent = message;
}

connection.open();
