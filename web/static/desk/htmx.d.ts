/** What the pages call of htmx, which is loaded as a plain script. */
interface Window {
  htmx: { process: (root: Element) => void };
}
