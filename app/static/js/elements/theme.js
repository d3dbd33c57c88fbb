import { useState } from "preact/hooks";
import { html } from "./html.js";
import { IconButton } from "./icon.js";

const YEAR_S = 365 * 24 * 3600;

/** Light or dark against the system's wish; kept in a cookie, so that the server's first page has it already. */
export function ThemeButton() {
  const root = document.documentElement;
  const dark = () => getComputedStyle(root).colorScheme === "dark" || (!root.dataset.theme && prefersDark());
  const [isDark, setDark] = useState(dark);
  const turn = () => {
    root.dataset.theme = isDark ? "light" : "dark";
    document.cookie = `parley_theme=${root.dataset.theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
    setDark(!isDark);
  };
  return html`<${IconButton} icon=${isDark ? "sun" : "moon"} label=${isDark ? "Light colours" : "Dark colours"} onClick=${turn} />`;
}

const prefersDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
