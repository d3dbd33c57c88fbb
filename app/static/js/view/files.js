const UNITS = ["B", "KB", "MB", "GB"];

/** @param {number} bytes @returns {string} as people say it */
export function sizeOf(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}
