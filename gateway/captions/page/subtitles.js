// Captions as files: text, SRT and WebVTT.

import { align } from "./words.js";

const WIDTH = 42, ROOM = 2 * WIDTH; // characters of a line and of a subtitle
const SHORTEST = 834, LONGEST = 7000, LINGER = 500, APART = 84; // milliseconds
const STOP = /[.?!…。！？।]["'”’)]?$/;

export const FORMS = { txt: "text/plain", srt: "application/x-subrip", vtt: "text/vtt" };

export function written(lines, form) {
  const spoken = lines.filter((line) => !line.note);
  const named = new Set(spoken.map((line) => line.stream)).size > 1;
  if (form === "txt") return text(spoken, named);
  const cues = timed(spoken);
  const blocks = form === "srt"
    ? cues.map((cue, index) => `${index + 1}\n${times(cue, ",")}\n${named ? `${cue.stream}: ` : ""}${cue.text}\n`)
    : ["WEBVTT\n", ...cues.map((cue) => `${times(cue, ".")}\n${named ? `<v ${escaped(cue.stream)}>` : ""}${escaped(cue.text)}\n`)];
  return blocks.join("\n");
}

// Running text, in which a new paragraph begins where someone else speaks.
function text(lines, named) {
  const turns = [];
  for (const line of lines) {
    if (named && turns.at(-1)?.stream === line.stream || !named && turns.length) turns.at(-1).texts.push(line.text);
    else turns.push({ stream: line.stream, texts: [line.text] });
  }
  return turns.map(({ stream, texts }) => `${named ? `${stream}: ` : ""}${texts.join(" ")}\n`).join("\n");
}

// Subtitles, in milliseconds since the stream of the first line began.
function timed(lines) {
  const zero = lines[0]?.zero ?? 0, cues = lines.flatMap((line) => [...cut(line, line.zero - zero)]);
  cues.sort((one, other) => one.start - other.start);
  const last = new Map(); // the subtitle before, by stream
  for (const cue of cues) {
    const before = last.get(cue.stream);
    if (before) before.end = Math.max(Math.min(before.end, cue.start - APART), before.start + 1);
    cue.start = Math.max(cue.start, before?.end ?? 0);
    cue.end = Math.min(Math.max(cue.end + LINGER, cue.start + SHORTEST), cue.start + LONGEST);
    cue.text = wrapped(cue.text);
    last.set(cue.stream, cue);
  }
  return cues;
}

function* cut(line, offset) {
  let cue = null;
  const at = (samples) => offset + samples / 16;
  for (const piece of align(line.text, line.words)) {
    const full = cue && (cue.text.length + piece.text.length >= ROOM || at(piece.end) - cue.start > LONGEST);
    if (full || cue && STOP.test(cue.text)) { yield cue; cue = null; }
    cue ??= { stream: line.stream, start: at(piece.start), text: "" };
    cue.text += cue.text ? piece.lead + piece.text : piece.text;
    cue.end = at(piece.end);
  }
  if (cue) yield cue;
}

// Break a text into two lines, as equal as they can be.
function wrapped(text) {
  if (text.length <= WIDTH) return text;
  const breaks = [...text.matchAll(/\s+/g)].map(({ index, 0: { length } }) => [text.slice(0, index), text.slice(index + length)]);
  const longer = ([one, other]) => Math.max(one.length, other.length);
  return breaks.sort((one, other) => longer(one) - longer(other))[0]?.join("\n") ?? text;
}

function times({ start, end }, point) {
  const clock = (milliseconds) => {
    const whole = Math.max(0, Math.round(milliseconds)), pad = (number, width = 2) => String(number).padStart(width, "0");
    const seconds = Math.floor(whole / 1000);
    return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}${point}${pad(whole % 1000, 3)}`;
  };
  return `${clock(start)} --> ${clock(end)}`;
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
