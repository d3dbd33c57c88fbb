// What this device does when somebody writes. Kept here and not on the server: a laptop may ring where a phone must not.

/**
 * @typedef {object} DeviceSettings
 * @property {boolean} desktop  show notifications
 * @property {boolean} sound
 * @property {number} quietUntil  do not disturb until this instant, in ms; 0 for not at all
 */

const KEY = "parley_device";
/** @type {DeviceSettings} */
const USUAL = { desktop: false, sound: false, quietUntil: 0 };

/** @returns {DeviceSettings} */
export function deviceSettings() {
  try {
    return { ...USUAL, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return USUAL;
  }
}

/** @param {Partial<DeviceSettings>} changes @returns {DeviceSettings} */
export function changeDeviceSettings(changes) {
  const settings = { ...deviceSettings(), ...changes };
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
  return settings;
}
