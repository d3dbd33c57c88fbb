// The page of the link in a letter: takes the code from behind the '#', and out of the address bar and the history.

const code = /** @type {HTMLInputElement} */ (document.getElementById("token"));
if (location.hash.length > 1) {
  code.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
if (code.value && !code.hasAttribute("aria-invalid")) {
  /** @type {HTMLElement} */ (code.closest(".labelled")).hidden = true;
  document.getElementById("password")?.focus();
}
