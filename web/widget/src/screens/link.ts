import { encode } from "uqr";
import { Refused } from "../api";
import { h, say as tell } from "../dom";
import type { ByLink } from "../model";
import { trouble } from "../words";
import { back } from "./forms";
import type { Screen, Stage } from "./screen";

const EVERY = 2_000;
const SVG = "http://www.w3.org/2000/svg";

/** A link into a messenger, to open here or to scan; the session comes when it is confirmed. */
export function byLink(begun: ByLink): Screen {
  return (stage) => {
    const { say } = stage;
    const status = h("p", { class: "status", role: "status" }, say.waiting);
    const target = { class: "main", href: begun.url, target: "_blank", rel: "noopener noreferrer" };
    void watch(stage, begun, status);
    return [
      h("p", {}, say.scan),
      h("div", { class: "link" }, picture(begun.url, say.qr), h("a", target, say.open)),
      h("p", {}, say.sameNumber, " ", h("strong", { class: "number" }, String(begun.number))),
      status,
      back(stage),
    ];
  };
}

async function watch(stage: Stage, begun: ByLink, status: HTMLElement): Promise<void> {
  const { api, signal, say } = stage;
  while (!signal.aborted) {
    await pause(signal);
    if (signal.aborted) return;
    try {
      const state = await api.state(begun.sign_in_id);
      if (signal.aborted) return;
      if (state === "proved") return stage.enter(await api.enter(begun.sign_in_id, {}));
      if (state !== "waiting") {
        const ended = state === "declined" ? "declined" : "sign_in_over";
        return tell(status, trouble(new Refused(409, ended), say));
      }
      tell(status, say.waiting);
    } catch (error) {
      if (signal.aborted) return;
      tell(status, trouble(error, say));
      // A broken connection mends; an answer stays what it is.
      if (error instanceof Refused && error.status >= 400 && error.status < 500) return;
    }
  }
}

/** Two seconds, or until somebody comes back from the messenger to this page. */
function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const seen = () => document.visibilityState === "visible" && done();
    const timer = setTimeout(done, EVERY);
    document.addEventListener("visibilitychange", seen);
    signal.addEventListener("abort", done);
  });
}

function picture(text: string, label: string): Element {
  const { size, data } = encode(text, { ecc: "M", border: 2 });
  const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({
    viewBox: `0 0 ${size} ${size}`,
    role: "img",
    "aria-label": label,
    class: "qr",
    "shape-rendering": "crispEdges",
  })) {
    svg.setAttribute(name, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", dark.join(""));
  svg.append(path);
  return svg;
}
