// @ts-check
/** The browser phone's ring: 450 Hz, one second in five, as telephones in China ring back. */

const FREQUENCY_HZ = 450;
const LOUDNESS = 0.15;
const RING_S = 1;
const EVERY_MS = 5000;

export class Ringing {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  start() {
    this.stop();
    // Silent where the browser wants a click before it makes sounds; the page shows the call all the same.
    this.#context = new AudioContext();
    this.#ring();
    this.#timer = setInterval(() => this.#ring(), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#context?.close();
    this.#context = null;
  }

  #ring() {
    const context = this.#context;
    if (!context) return;
    const tone = new OscillatorNode(context, { frequency: FREQUENCY_HZ });
    const loudness = new GainNode(context, { gain: LOUDNESS });
    tone.connect(loudness).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + RING_S);
  }
}
