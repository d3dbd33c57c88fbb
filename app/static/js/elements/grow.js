const MOST_PX = 240;

/** A text field as tall as its text, where the browser cannot do that by itself. @param {HTMLTextAreaElement} area */
export function growTo(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(MOST_PX, area.scrollHeight)}px`;
}
