// Templates without strings of HTML, and the two hooks that tie elements to models.

import htm from "htm";
import { Component, createContext, h } from "preact";
import { useContext, useLayoutEffect, useReducer } from "preact/hooks";

export const html = htm.bind(h);

/** The page's session and navigation. @type {import("preact").Context<any>} */
export const Page = createContext(null);

/** @returns {import("./pageContext.js").PageContext} */
export const usePage = () => useContext(Page);

/**
 * This will render again whenever the model says that it changed; it listens from the very render on.
 * @template {import("../realtime/emitter.js").Emitter} M @param {M} model @returns {M}
 */
export function useModel(model, event = "change") {
  const [, again] = useReducer((count) => count + 1, 0);
  useLayoutEffect(() => model.on(event, () => again(undefined)), [model, event]);
  return model;
}

/** Whether what is told by the connection is true now. */
export const useConnected = () => useModel(usePage().session.connection, "state").online;

/**
 * This will render an element again only where one of its props is another.
 * @template P @param {(props: P) => any} render
 */
export function memo(render) {
  return class Memo extends Component {
    /** @override @param {any} next */
    shouldComponentUpdate(next) {
      const known = /** @type {any} */ (this.props);
      const names = new Set([...Object.keys(known), ...Object.keys(next)]);
      return [...names].some((name) => known[name] !== next[name]);
    }

    /** @override @param {any} props */
    render(props) {
      return h(/** @type {any} */ (render), props);
    }
  };
}
