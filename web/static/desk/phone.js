// @ts-check
/**
 * The agent's telephone in the page: SIP over a WebSocket to the switch. It answers nothing by itself.
 *
 * @typedef {"connecting" | "ready" | "elsewhere" | "refused" | "lost" | "missing" | "ringing" | "answering" | "talking"} PhoneState
 */

import { post } from "./api.js";
import { announce, notify, toast } from "./notices.js";
import { Ringing } from "./ringing.js";
import { serverNow, tick } from "./ticking.js";
import { element, filled, words } from "./words.js";

const CONVERSATION_HEADER = "X-Hotline-Conversation";
const BUSY_HERE = 486;
const DECLINED = 480;
const ASK_AGAIN_MS = 10_000;
const REGISTER_S = 120;
/** What `getUserMedia` says, and our words for it. */
const MICROPHONE = {
  NotAllowedError: words.phone_not_allowed,
  SecurityError: words.phone_not_allowed,
  NotFoundError: words.phone_no_microphone,
  OverconstrainedError: words.phone_no_microphone,
  NotReadableError: words.phone_microphone_busy,
  AbortError: words.phone_microphone_busy,
};

export class Phone {
  /** @type {SipUserAgent | null} */
  #agent = null;
  /** @type {SipSession | null} */
  #session = null;
  /** @type {MediaStream | null} */
  #microphone = null;
  #ringing = new Ringing();

  /**
   * @param {HTMLElement} root
   * @param {(conversation: string) => void} rings a call has come in, for this conversation where it names one
   */
  constructor(root, rings) {
    this.root = root;
    this.rings = rings;
    this.extension = root.dataset.extension ?? "";
    this.sound = /** @type {HTMLAudioElement} */ (element("phone-sound"));
    element("phone-answer").addEventListener("click", () => this.answer());
    element("phone-hang-up").addEventListener("click", () => this.hangUp());
    element("phone-mute").addEventListener("click", () => this.#toggleMute());
    element("phone-keypad").addEventListener("click", () => this.#toggleKeypad());
    element("phone-again").addEventListener("click", () => location.reload());
    element("phone-keys").addEventListener("click", (event) => this.#pressed(event));
    window.addEventListener("pagehide", () => this.#agent?.stop());
  }

  /** Registers, in one page of the browser at a time. */
  start() {
    if (!window.JsSIP) return this.#show("missing");
    if (!navigator.locks) return void this.#register();
    this.#show("elsewhere");
    // Held until the page goes: the next page then gets the telephone.
    navigator.locks.request("desk.phone", () => {
      this.#register();
      return new Promise(() => {});
    });
  }

  get isRinging() {
    return this.root.dataset.state === "ringing";
  }

  /** The call is answered, once the browser gives the microphone; until then it rings on. */
  async answer() {
    const session = this.#session;
    if (!session || !this.isRinging) return;
    this.#show("answering");
    const microphone = await this.#askForMicrophone();
    if (session !== this.#session || session.isEnded()) return this.#release(microphone);
    if (!microphone) return this.#show("ringing");
    this.#ringing.stop();
    this.#microphone = microphone;
    session.answer({ mediaStream: microphone, pcConfig: { iceServers: [] } });
  }

  hangUp() {
    if (!this.#session) return;
    this.#session.terminate(this.isRinging ? { status_code: DECLINED } : undefined);
  }

  async #register() {
    this.#show("connecting");
    const answer = await post("/desk/phone");
    if (answer.kind === "refused") return this.#show("refused");
    if (answer.kind !== "ok") {
      this.#show("lost");
      if (answer.kind === "unreachable") setTimeout(() => this.#register(), ASK_AGAIN_MS);
      return;
    }
    this.#connect(answer.data);
  }

  /** @param {{url: string, uri: string, extension: string, password: string}} given */
  #connect({ url, uri, extension, password }) {
    const { JsSIP } = window;
    if (!JsSIP) return;
    const agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(url)],
      uri,
      authorization_user: extension,
      password,
      register: true,
      register_expires: REGISTER_S,
      session_timers: false,
      connection_recovery_max_interval: 15,
      user_agent: "hotline desk",
    });
    this.#agent = agent;
    agent.on("registered", () => this.#idle("ready"));
    agent.on("registrationFailed", ({ response }) => this.#idle(response ? "refused" : "lost"));
    agent.on("unregistered", () => this.#idle("lost"));
    agent.on("disconnected", () => this.#idle("lost"));
    agent.on("newRTCSession", (event) => this.#called(event));
    agent.start();
  }

  /** @param {{originator: string, session: SipSession, request: SipRequest}} event */
  #called({ originator, session, request }) {
    if (originator !== "remote") return;
    if (this.#session) return session.terminate({ status_code: BUSY_HERE });
    this.#session = session;
    session.on("peerconnection", ({ peerconnection }) => this.#hear(peerconnection));
    session.on("confirmed", () => this.#talking());
    session.on("ended", () => this.#over(words.phone_ended, "ok"));
    session.on("failed", ({ originator: by, cause }) =>
      by === "local" && cause !== "Rejected" ? this.#over(words.phone_broken, "bad") : this.#over(words.phone_ended, "ok"),
    );
    this.#show("ringing");
    this.#ringing.start();
    const said = filled(words.phone_rings, { extension: this.extension });
    announce(said);
    notify(words.phone_ringing, said, "phone");
    this.rings(request.getHeader(CONVERSATION_HEADER) ?? "");
  }

  /** @param {RTCPeerConnection} connection */
  #hear(connection) {
    connection.addEventListener("track", ({ streams, track }) => {
      this.sound.srcObject = streams[0] ?? new MediaStream([track]);
    });
  }

  #talking() {
    const time = element("phone-time");
    time.dataset.since = new Date(serverNow()).toISOString();
    this.#show("talking");
    tick();
  }

  /**
   * @param {string} sentence
   * @param {"ok" | "bad"} kind
   */
  #over(sentence, kind) {
    this.#session = null;
    this.#ringing.stop();
    this.#release(this.#microphone);
    this.#microphone = null;
    this.sound.srcObject = null;
    delete element("phone-time").dataset.since;
    this.#showKeypad(false);
    this.#showMuted(false);
    this.#show("ready");
    toast(sentence, kind);
  }

  /** @param {MediaStream | null} microphone */
  #release(microphone) {
    microphone?.getTracks().forEach((track) => track.stop());
  }

  /** @returns {Promise<MediaStream | null>} null: the agent has been told why not */
  async #askForMicrophone() {
    if (!navigator.mediaDevices) return this.#withoutMicrophone(words.phone_insecure);
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: true, video: false });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      return this.#withoutMicrophone(MICROPHONE[/** @type {keyof typeof MICROPHONE} */ (name)] ?? words.phone_microphone_busy);
    }
  }

  /** @param {string} why @returns {null} */
  #withoutMicrophone(why) {
    toast(why, "bad");
    announce(why);
    return null;
  }

  #toggleMute() {
    const session = this.#session;
    if (!session) return;
    const isMuted = Boolean(session.isMuted().audio);
    if (isMuted) session.unmute({ audio: true });
    else session.mute({ audio: true });
    this.#showMuted(!isMuted);
  }

  /** @param {boolean} isMuted */
  #showMuted(isMuted) {
    const button = element("phone-mute");
    button.setAttribute("aria-pressed", String(isMuted));
    button.title = isMuted ? words.phone_unmute : words.phone_mute;
  }

  #toggleKeypad() {
    this.#showKeypad(element("phone-keys").hidden);
  }

  /** @param {boolean} isShown */
  #showKeypad(isShown) {
    element("phone-keys").hidden = !isShown;
    element("phone-keypad").setAttribute("aria-expanded", String(isShown));
  }

  /** @param {MouseEvent} event */
  #pressed(event) {
    const tone = event.target instanceof HTMLElement ? event.target.dataset.tone : undefined;
    if (tone) this.#session?.sendDTMF(tone, { transportType: "RFC2833" });
  }

  /** @param {PhoneState} state how the telephone stands while nobody calls */
  #idle(state) {
    if (!this.#session) this.#show(state);
  }

  /** @param {PhoneState} state */
  #show(state) {
    this.root.dataset.state = state;
    element("phone-said").textContent = filled(sentenceOf(state), { extension: this.extension });
    const isCall = state === "talking";
    element("phone-answer").hidden = state !== "ringing";
    element("phone-mute").hidden = !isCall;
    element("phone-keypad").hidden = !isCall;
    element("phone-time").hidden = !isCall;
    element("phone-hang-up").hidden = !["ringing", "answering", "talking"].includes(state);
    element("phone-hang-up-said").textContent = state === "ringing" ? words.phone_reject : words.phone_hang_up;
    element("phone-again").hidden = !["refused", "missing"].includes(state);
  }
}

/** @param {PhoneState} state */
function sentenceOf(state) {
  return {
    connecting: words.phone_connecting,
    ready: words.phone_ready,
    elsewhere: words.phone_elsewhere,
    refused: words.phone_refused,
    lost: words.phone_lost,
    missing: words.phone_missing,
    ringing: words.phone_ringing,
    answering: words.phone_answering,
    talking: words.phone_talking,
  }[state];
}
