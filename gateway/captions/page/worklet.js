// The audio thread: samples of the microphone as integers of 16 bits, in pieces, with the peak of each.

const PIECE = 2048; // samples

class Recorder extends AudioWorkletProcessor {
  #piece = new Int16Array(PIECE);
  #length = 0;
  #peak = 0;
  #ended = false;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#send();
      this.port.postMessage(null);
      this.#ended = true;
    };
  }

  process([channels]) {
    for (const sample of channels[0] ?? []) {
      const level = Math.max(-1, Math.min(1, sample));
      this.#peak = Math.max(this.#peak, Math.abs(level));
      this.#piece[this.#length++] = Math.round(32767 * level);
      if (this.#length === PIECE) this.#send();
    }
    return !this.#ended;
  }

  #send() {
    const pcm = this.#piece.slice(0, this.#length);
    this.port.postMessage({ pcm, peak: this.#peak }, [pcm.buffer]);
    this.#length = this.#peak = 0;
  }
}

registerProcessor("recorder", Recorder);
