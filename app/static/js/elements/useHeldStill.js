import { useRef, useState } from "preact/hooks";

/** As long as a double click may take. */
const AFTER_MS = 350;

/**
 * What must not move under a pressing finger: from press to release, and a moment longer, the last value stays; else a line that
 * comes or goes meanwhile takes the click away, or has it open another one.
 * @template T @param {T} value @returns {[T, () => void]} what to show, and what to call when something is pressed
 */
export function useHeldStill(value) {
  const [isHeld, hold] = useState(false);
  const shown = useRef(value);
  const timer = useRef(0);
  if (!isHeld) shown.current = value;
  const press = () => {
    clearTimeout(timer.current);
    hold(true);
    const release = () => {
      for (const sign of ["pointerup", "pointercancel"]) removeEventListener(sign, release);
      timer.current = window.setTimeout(() => hold(false), AFTER_MS);
    };
    for (const sign of ["pointerup", "pointercancel"]) addEventListener(sign, release);
  };
  return [shown.current, press];
}
