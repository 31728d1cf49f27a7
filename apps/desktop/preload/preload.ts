/**
 * Makes `window.phantoma` in Electron: three functions and nothing else. The only file that imports
 * `ipcRenderer`; the page never sees it, nor an event of it.
 *
 * @module
 */
import { contextBridge, ipcRenderer } from "electron";
import { channels, type StreamMessage } from "../ipc/channels.ts";
import type { Bridge, ConsoleEvent } from "../ipc/contract.ts";

const bridge: Bridge = {
  request: (name, input) => ipcRenderer.invoke(channels.request, name, input),

  openStream: (name, input, onEvent, onClosed) => {
    const { port1: ours, port2: theirs } = new MessageChannel();
    let isOver = false;
    const close = () => {
      if (isOver) return;
      isOver = true;
      ours.close();
      onClosed();
    };
    ours.addEventListener("message", ({ data }: { data: StreamMessage }) => {
      if ("isOver" in data) close();
      else onEvent(data.event as never);
    });
    ours.start();
    ipcRenderer.postMessage(channels.stream, { name, input }, [theirs]);
    return close;
  },

  subscribe: (listener) => {
    const tell = (_event: unknown, told: ConsoleEvent) => listener(told);
    ipcRenderer.on(channels.event, tell);
    return () => void ipcRenderer.off(channels.event, tell);
  },
};

contextBridge.exposeInMainWorld("phantoma", bridge);
