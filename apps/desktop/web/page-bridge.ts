/**
 * Makes `window.phantoma` in a browser. Served as a script of its own before the page's, so that the
 * page is the same in both shells.
 *
 * @module
 */
import { makeBridge } from "./http-bridge.ts";

const script = document.currentScript as HTMLScriptElement;
const base = new URL(".", script.src).href;
Object.defineProperty(window, "phantoma", { value: Object.freeze(makeBridge(base)) });
