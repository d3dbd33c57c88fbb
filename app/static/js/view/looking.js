// Which conversation somebody looks at right now, in whichever tab of this browser: no notification is needed for that one.

const KEY = "parley_looking";

/** @param {() => string | null} current  the conversation that this tab shows */
export function tellWhatIsLookedAt(current) {
  /** What this tab told last. @type {string | null} */
  let told = null;
  const tell = () => {
    const id = document.hasFocus() ? current() : null;
    try {
      if (id) localStorage.setItem(KEY, id);
      // Who has the focus decides; who has lost it takes back only its own word, for another tab may have spoken since.
      else if (document.hasFocus() || localStorage.getItem(KEY) === told) localStorage.removeItem(KEY);
      told = id;
    } catch {
      // Without storage, a conversation that is looked at may ring as well.
    }
  };
  for (const sign of ["focus", "blur", "popstate", "pointerdown", "keydown", "pagehide"]) addEventListener(sign, tell);
  tell();
  return tell;
}

/** @param {string} conversationId */
export function isLookedAt(conversationId) {
  try {
    return localStorage.getItem(KEY) === conversationId;
  } catch {
    return false;
  }
}
