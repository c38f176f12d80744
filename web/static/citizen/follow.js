// @ts-check
/** Keeps the newest line in view, unless the reader has scrolled up to read something else. */

const NEAR_END_PX = 80;

export class Follow {
  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} button says that there is something new below
   */
  constructor(scroller, button) {
    this.scroller = scroller;
    this.button = button;
    this.following = true;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => {
      this.toEnd();
      scroller.focus({ preventScroll: true });
    });
    new ResizeObserver(() => this.settle()).observe(scroller);
  }

  /** Shows the end of the conversation and follows it from now on. */
  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.following = true;
    this.button.hidden = true;
  }

  /** Shows the beginning and stays there: what greets a newcomer is read from its first line. */
  toStart() {
    this.scroller.scrollTop = 0;
    this.following = false;
  }

  /** Goes to the end again after something other than a line has changed the height. */
  settle() {
    if (this.following) this.toEnd();
  }

  /**
   * Brings a new line into view. A line taller than the screen is shown from its beginning.
   * @param {HTMLElement} row
   */
  lineAdded(row) {
    if (!this.following) {
      this.button.hidden = false;
    } else if (row.offsetHeight > this.scroller.clientHeight * 0.9) {
      this.scroller.scrollTop = row.offsetTop - 8;
      this.following = false;
    } else {
      this.toEnd();
    }
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.following = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (this.following) this.button.hidden = true;
  }
}
