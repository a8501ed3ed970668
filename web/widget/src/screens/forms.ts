/** A form that sends once at a time and says what went wrong beside it. */

import { h, say } from "../dom";
import { trouble } from "../words";
import type { Stage } from "./screen";

export function form(
  stage: Stage,
  send: () => Promise<void>,
  action: string,
  ...fields: HTMLElement[]
): HTMLFormElement {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const button = h("button", { class: "main", type: "submit" }, action);
  const submitted = async (event: Event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    say(wrong, "");
    try {
      await send();
    } catch (error) {
      if (!stage.signal.aborted) say(wrong, trouble(error, stage.say));
    } finally {
      button.disabled = false;
    }
  };
  return h("form", { submit: submitted, novalidate: true }, ...fields, wrong, button);
}

export function back(stage: Stage): HTMLElement {
  return h(
    "button",
    { class: "quiet", type: "button", click: () => stage.start() },
    stage.say.back,
  );
}
