// Keeps what the reader looks at where it is, whatever is added above or below it.
//
// The scroller is laid out from its end (column-reverse), so at the end it stays at the end by itself,
// and what is added above does not move what is below.

const AT_END_PX = 48;

/** @param {HTMLElement} scroller */
export const isAtEnd = (scroller) => -scroller.scrollTop < AT_END_PX;

/**
 * This will note the first element in sight; at an end that is followed there is nothing to keep.
 * @param {HTMLElement | null} scroller @param {string} selector @param {boolean} follows
 */
export function takeAnchor(scroller, selector, follows) {
  if (!scroller || (follows && isAtEnd(scroller))) return null;
  const edge = scroller.getBoundingClientRect().top;
  const elements = scroller.querySelectorAll(selector);
  let low = 0;
  let high = elements.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (elements[middle].getBoundingClientRect().bottom > edge) high = middle;
    else low = middle + 1;
  }
  const element = elements[low];
  return element ? { element, top: element.getBoundingClientRect().top } : null;
}

/** @param {HTMLElement | null} scroller @param {{element: Element, top: number} | null} anchor */
export function keepAnchor(scroller, anchor) {
  if (!scroller || !anchor?.element.isConnected) return;
  const moved = anchor.element.getBoundingClientRect().top - anchor.top;
  if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
}
