// The microphone of this browser as a stream of the daemon.

import { address, open, refusal } from "./connection.js";

const KEPT = 60; // seconds of audio that are kept while the daemon is away or behind
const AGAIN = 1000; // milliseconds between tries

export class Microphone {
  #stream = null;
  #context = null;
  #node = null;
  #socket = null;
  #timer = 0;
  #waiting = []; // pieces that were not sent
  #held = 0; // samples in them
  #lost = 0; // samples that did not fit
  #ending = false;

  // name: what its stream is called. heard: is given the peak of each piece, from 0 to 1. told: is given what is wrong
  // for now, "" for nothing. ended: is called once it is off, with a message if that was not wanted.
  constructor({ name, token, heard, told, ended }) {
    Object.assign(this, { name, token, heard, told, ended });
  }

  // Raises an Error that says what is wrong.
  async start() {
    if (!navigator.mediaDevices) throw new Error("Browsers give the microphone to pages of https or of localhost alone.");
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true },
      });
    } catch (error) {
      throw new Error(REASONS[error.name] ?? `The microphone cannot be used: ${error.message}`);
    }
    this.#stream.getAudioTracks()[0].onended = () => this.#end("The microphone has gone.");
    this.#context = new AudioContext();
    try {
      await this.#context.audioWorklet.addModule(address("captions/worklet.js"));
    } catch {
      this.#release();
      throw new Error("The server does not answer.");
    }
    this.#node = new AudioWorkletNode(this.#context, "recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.#node.port.onmessage = ({ data }) => data ? this.#take(data) : this.#finish();
    this.#context.createMediaStreamSource(this.#stream).connect(this.#node);
    this.#connect();
  }

  mute(on) {
    for (const track of this.#stream.getAudioTracks()) track.enabled = !on;
  }

  // What was said until now is sent, and captioned.
  stop() {
    this.#node.port.postMessage("end");
  }

  #take({ pcm, peak }) {
    this.heard(peak);
    this.#waiting.push(pcm);
    this.#held += pcm.length;
    while (this.#held > KEPT * this.#context.sampleRate) {
      const dropped = this.#waiting.shift().length;
      this.#held -= dropped;
      this.#lost += dropped;
    }
    this.#send();
  }

  #send() {
    const socket = this.#socket, room = KEPT * 2 * this.#context.sampleRate;
    if (socket?.readyState !== WebSocket.OPEN) return;
    while (this.#waiting.length && socket.bufferedAmount < room) {
      if (this.#lost) socket.send(JSON.stringify({ lost: this.#lost }));
      this.#lost = 0;
      const pcm = this.#waiting.shift();
      this.#held -= pcm.length;
      socket.send(pcm);
    }
    if (this.#ending && !this.#waiting.length) socket.send(JSON.stringify({ end: true }));
  }

  #finish() {
    this.#ending = true;
    this.#release();
    this.#send();
    if (this.#socket?.readyState !== WebSocket.OPEN) this.#end();
  }

  #connect() {
    const socket = this.#socket = open({}, this.token);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      socket.send(JSON.stringify({ rate: this.#context.sampleRate, name: this.name }));
      this.#send();
    };
    socket.onmessage = ({ data }) => {
      if (JSON.parse(data).type === "joined") this.told("");
    };
    socket.onclose = async ({ code, reason }) => {
      if (socket !== this.#socket) return;
      if (this.#ending) return this.#end();
      if (code === 1008 && opened) return this.#end(`The server hung up: ${reason}`);
      if (reason) this.told(`The microphone waits: ${reason}`);
      const why = opened ? null : await refusal(this.token);
      if (why && why.status < 429) return this.#end(why.message);
      if (socket === this.#socket) this.#timer = setTimeout(() => this.#connect(), AGAIN);
    };
  }

  #release() {
    for (const track of this.#stream.getTracks()) { track.onended = null; track.stop(); }
    this.heard(0);
  }

  #end(message = "") {
    clearTimeout(this.#timer);
    this.#release();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    if (this.#context.state !== "closed") this.#context.close();
    this.ended(message);
  }
}

const REASONS = {
  NotAllowedError: "The browser does not allow this page the microphone.",
  NotFoundError: "There is no microphone.",
  NotReadableError: "The microphone is in use elsewhere.",
};
