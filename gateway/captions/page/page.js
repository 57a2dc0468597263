// The page: what its buttons do, and what comes of events.

import { Connection } from "./connection.js";
import { Microphone } from "./microphone.js";
import { FORMS, written } from "./subtitles.js";
import { keep, kept } from "./token.js";
import { Transcript } from "./transcript.js";
import { element, View } from "./view.js";

const PAST = 900; // seconds of the past that are shown at first
const ANNOUNCED = 20; // finals that stay where screen readers find them
const QUIET = -60; // dB of the lowest level shown

const $ = (id) => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
const label = (button) => button.querySelector("span");

// events

const transcript = new Transcript({
  changed: (line) => view.change(line),
  said: announce,
  stirred: () => { chips(); view.all(); },
});
const view = new View($("lines"), transcript, drawn);
const connection = new Connection({ listen: "all", stream: parameters.get("stream"), ago: parameters.get("past") ?? String(PAST) }, {
  token: kept(),
  take(event) {
    transcript.take(event);
    if (event.type === "behind") late(event);
  },
  tell,
});

const STATES = { connecting: "Connecting…", live: "Live", away: "Connecting again…", refused: "Not connected" };

function tell(state, why) {
  $("state").dataset.state = state;
  $("state").textContent = STATES[state];
  if (state === "refused" && why.status === 401) ask(connection.token ? why.message : "");
  else if (why || state === "live") notify(why?.message ?? "");
}

// How late live captions are, while the machine is too slow for all that it hears.
function late({ seconds, measures }) {
  $("state").textContent = measures.length ? `Live, ${Math.round(seconds)} s late` : STATES.live;
}

function announce(line) {
  if (paused() || !transcript.shown(line)) return;
  const name = transcript.streams.size > 1 ? `${line.stream}: ` : "";
  $("announced").append(element("p", "", name + line.text));
  while ($("announced").childElementCount > ANNOUNCED) $("announced").firstElementChild.remove();
}

// what is seen

let following = true, last = 0; // whether the page shows the latest lines, and how far it was scrolled

function drawn(found) {
  $("empty").hidden = transcript.lines.length > 0;
  $("lines").lang = transcript.language;
  $("found").textContent = found === null ? "" : `${found} found`;
  if (following && !paused()) scrollTo(0, document.documentElement.scrollHeight);
  $("latest").hidden = following;
}

addEventListener("scroll", () => {
  if (scrollY < last - 2) following = false;
  if (innerHeight + scrollY > document.documentElement.scrollHeight - 40) following = true;
  last = scrollY;
  $("latest").hidden = following;
});

$("latest").onclick = () => {
  following = true;
  scrollTo({ top: document.documentElement.scrollHeight, behavior: "smooth" });
  $("latest").hidden = true;
};

function chips() {
  $("streams").hidden = transcript.streams.size < 2;
  $("streams").replaceChildren(...[...transcript.streams].map(([name, stream]) => {
    const chip = element("button", "", name);
    chip.type = "button";
    chip.style.setProperty("--hue", stream.hue);
    chip.setAttribute("aria-pressed", stream.shown);
    chip.onclick = () => {
      stream.shown = !stream.shown;
      chip.setAttribute("aria-pressed", stream.shown);
      view.all();
    };
    return chip;
  }));
}

$("search").oninput = () => {
  view.query = $("search").value.trim().toLowerCase();
  view.all();
};

function notify(message) {
  $("notice").hidden = !message;
  $("notice").firstElementChild.textContent = message;
}

$("notice").lastElementChild.onclick = () => notify("");

// buttons

const paused = () => $("pause").getAttribute("aria-pressed") === "true";

$("pause").onclick = () => {
  const on = !paused();
  $("pause").setAttribute("aria-pressed", on);
  label($("pause")).textContent = on ? "Go on" : "Pause";
  view.hold(on);
  microphone?.mute(on);
};

$("copy").onclick = async () => {
  const text = written(view.shown, "txt");
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else copyOld(text);
  label($("copy")).textContent = "Copied";
  setTimeout(() => { label($("copy")).textContent = "Copy"; }, 1500);
};

// Pages that are neither of https nor of localhost have no clipboard of the new kind.
function copyOld(text) {
  const area = element("textarea", "unseen");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

for (const button of $("download").querySelectorAll("button")) {
  button.onclick = () => {
    const { form } = button.dataset, link = element("a", "");
    link.href = URL.createObjectURL(new Blob([written(view.shown, form)], { type: `${FORMS[form]};charset=utf-8` }));
    link.download = `captions-${stamp()}.${form}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    close();
  };
}

const stamp = () => new Date(Date.now() - 60_000 * new Date().getTimezoneOffset()).toISOString().slice(0, 16).replace(/\D/g, "-");

function close() {
  if ($("download").contains(document.activeElement)) $("download").querySelector("summary").focus();
  $("download").open = false;
}

addEventListener("keydown", ({ key }) => { if (key === "Escape" && $("download").open) close(); });
addEventListener("click", ({ target }) => { if (!$("download").contains(target)) $("download").open = false; });

// the microphone

let microphone = null;

$("microphone").onclick = async () => {
  $("microphone").disabled = true;
  try {
    if (microphone) return microphone.stop();
    const started = new Microphone({
      name: parameters.get("name") || "browser",
      token: connection.token,
      heard: meter,
      told: notify,
      ended: silent,
    });
    await started.start();
    microphone = started;
    microphone.mute(paused());
    listening(true);
  } catch (error) {
    notify(error.message);
  } finally {
    $("microphone").disabled = false;
  }
};

function silent(message) {
  microphone = null;
  listening(false);
  if (message) notify(message);
}

function listening(on) {
  $("microphone").setAttribute("aria-pressed", on);
  label($("microphone")).textContent = on ? "Stop microphone" : "Start microphone";
  $("level").hidden = !on;
}

function meter(peak) {
  const level = Math.max(QUIET, 20 * Math.log10(peak || 1e-9));
  $("level").style.setProperty("--level", 1 - level / QUIET);
  $("level").classList.toggle("loud", level > -1);
  $("level").setAttribute("aria-valuenow", Math.round(level));
}

// the token

function ask(why) {
  $("ask-why").textContent = why || "Whoever runs this server has it.";
  if (!$("ask").open) $("ask").showModal();
}

$("ask").querySelector("form").onsubmit = () => {
  keep(connection.token = $("token").value.trim());
  $("token").value = "";
  tell("connecting");
  $("ask").oncancel = () => notify("A token is needed; load the page again to enter it.");

connection.open();
};

$("ask").oncancel = () => notify("A token is needed; load the page again to enter it.");

connection.open();
