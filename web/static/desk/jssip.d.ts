/** What the browser phone calls of JsSIP, which is loaded as a plain script. */
interface SipRequest {
  getHeader: (name: string) => string | undefined;
}
interface SipSession {
  on: (name: string, heard: (event: any) => void) => void;
  answer: (options: { mediaStream: MediaStream; pcConfig: RTCConfiguration }) => void;
  terminate: (options?: { status_code?: number }) => void;
  sendDTMF: (tone: string, options: { transportType: "RFC2833" }) => void;
  mute: (what: { audio: boolean }) => void;
  unmute: (what: { audio: boolean }) => void;
  isMuted: () => { audio?: boolean };
  isEnded: () => boolean;
  connection: RTCPeerConnection | null;
}
interface SipUserAgent {
  on: (name: string, heard: (event: any) => void) => void;
  start: () => void;
  stop: () => void;
}
interface Window {
  JsSIP?: {
    WebSocketInterface: new (url: string) => object;
    UA: new (configuration: Record<string, unknown>) => SipUserAgent;
  };
}
