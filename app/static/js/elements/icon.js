import { html } from "./html.js";

/** Strokes on a 24 by 24 field. @type {Record<string, string>} */
const PATHS = {
  alert: "M12 8v5 M12 16.5v.5 M12 3 2.5 20h19z",
  archive: "M4 5h16v4H4z M5.5 9v10h13V9 M10 13h4",
  arrowDown: "M12 5v14 M6 13l6 6 6-6",
  arrowUp: "M12 19V5 M6 11l6-6 6 6",
  back: "M15 5l-7 7 7 7",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15z M10 21h4",
  bellOff: "M6 16.5V11a6 6 0 0 1 9.5-4.9 M18 11v5.5l1.5 2h-13 M10 21h4 M3 3l18 18",
  calendar: "M4 6h16v14H4z M4 10.5h16 M8 3v4 M16 3v4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  checks: "M2.5 12.5L7 17l8.5-9.5 M11.5 16l1 1L21.5 7.5",
  clip: "M20 11.5l-8 8a5 5 0 0 1-7-7l8.5-8.5a3.4 3.4 0 0 1 4.8 4.8L10 17a1.7 1.7 0 0 1-2.4-2.4l7.4-7.4",
  clock: "M12 7v5l3 2 M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z",
  close: "M6 6l12 12 M18 6L6 18",
  code: "M9 7l-5 5 5 5 M15 7l5 5-5 5",
  compass: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z M15.5 8.5l-2 5-5 2 2-5z",
  copy: "M9 9h11v11H9z M15 9V4H4v11h5",
  eye: "M2.5 12S6 5.5 12 5.5S21.5 12 21.5 12S18 18.5 12 18.5S2.5 12 2.5 12z M12 9.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5z",
  file: "M6 3h8l4 4v14H6z M14 3v4h4",
  hash: "M9 4L7 20 M17 4l-2 16 M4.5 9h16 M3.5 15h16",
  inbox: "M4 13l3-8h10l3 8v6H4z M4 13h5l1.5 2.5h3L15 13h5",
  keyboard: "M3 6h18v12H3z M7 10h.01 M11 10h.01 M15 10h.01 M8 14h8",
  leave: "M14 4h5v16h-5 M4 12h11 M11 8l4 4-4 4",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1 M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  lock: "M6 11h12v9H6z M8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
  more: "M5 11a1 1 0 1 0 0 2a1 1 0 1 0 0-2z M12 11a1 1 0 1 0 0 2a1 1 0 1 0 0-2z M19 11a1 1 0 1 0 0 2a1 1 0 1 0 0-2z",
  panel: "M4 5h16v14H4z M15 5v14",
  pencil: "M4 20l1-4L16.5 4.5l3 3L8 19z",
  pin: "M9 4h6l-1 6 3 3H7l3-3z M12 13v7",
  plus: "M12 5v14 M5 12h14",
  reply: "M10 6L4 12l6 6 M4 12h9a7 7 0 0 1 7 7",
  route: "M6 4a2 2 0 1 0 0 4a2 2 0 1 0 0-4z M18 16a2 2 0 1 0 0 4a2 2 0 1 0 0-4z M8 6h7a3 3 0 0 1 0 6H9a3 3 0 0 0 0 6h7",
  search: "M11 4a7 7 0 1 0 0 14a7 7 0 1 0 0-14z M16 16l5 5",
  send: "M12 19V5 M6 11l6-6 6 6",
  smile: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z M8 14a5 5 0 0 0 8 0 M9 9.5v.5 M15 9.5v.5",
  sun: "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8z M12 2v2 M12 20v2 M2 12h2 M20 12h2 M5 5l1.5 1.5 M17.5 17.5L19 19 M19 5l-1.5 1.5 M6.5 17.5L5 19",
  thread: "M4 5h16v11H12l-5 4v-4H4z M8 9h8 M8 12.5h5",
  trash: "M4 7h16 M9 7V4h6v3 M6 7l1 13h10l1-13",
  undo: "M8 7L4 11l4 4 M4 11h10a5 5 0 0 1 0 10h-3",
  users: "M9 5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7z M2.5 20a6.5 6.5 0 0 1 13 0 M16 5.5a3.5 3.5 0 0 1 0 6.5 M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
};

/** @param {{name: string}} props  only for the eye: what it does is said in words beside or on its button */
export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>
`;

/** @param {any} props */
export const IconButton = ({ icon, label, class: classes = "", ...rest }) => html`
  <button type="button" class="icon-button ${classes}" aria-label=${label} title=${label} ...${rest}>
    <${Icon} name=${icon} />
  </button>
`;
