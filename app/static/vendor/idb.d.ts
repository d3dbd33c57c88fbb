// The vendored file for those who import it by its address: a worker has no import map.
export { openDB } from "idb";
