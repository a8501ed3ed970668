import { Refused } from "../api";
import { h, say as tell } from "../dom";
import type { ByCode, Document } from "../model";
import { consent } from "./consent";
import { back, form } from "./forms";
import type { Screen, Stage } from "./screen";

/** The code that was told to the phone's owner. */
export function byCode(phone: string, begun: ByCode): Screen {
  return (stage) => {
    const { say } = stage;
    const field = h("input", {
      id: "code",
      name: "code",
      inputmode: "numeric",
      autocomplete: "one-time-code",
      maxlength: begun.digits + 2,
      class: "code",
    });
    const send = async () => {
      const code = field.value.replace(/\D/g, "");
      try {
        stage.enter(await stage.api.enter(begun.sign_in_id, { code }));
      } catch (error) {
        const document = toAgree(error);
        if (document === null) throw error;
        stage.show(consent(begun.sign_in_id, code, document));
      }
    };
    const made = form(stage, send, say.enter, h("label", { for: "code" }, say.code), field);
    field.addEventListener("input", () => {
      if (field.value.replace(/\D/g, "").length === begun.digits) made.requestSubmit();
    });
    return [h("p", {}, say.codeSent), made, again(stage, phone, begun), back(stage)];
  };
}

/** The document to agree to, when that is what is missing. */
function toAgree(error: unknown): Document | null {
  if (!(error instanceof Refused) || error.code !== "consent_required") return null;
  return error.extra.document as Document;
}

function again(stage: Stage, phone: string, begun: ByCode): HTMLElement {
  const send = async () => {
    stage.show(byCode(phone, await stage.api.byPhone(phone, stage.locale)));
  };
  const made = form(stage, send, stage.say.again);
  const button = made.querySelector("button") as HTMLButtonElement;
  button.className = "quiet";
  // The server's clock against this one's: only how long it is from now matters.
  const left = new Date(begun.again_at).getTime() - Date.now();
  const until = performance.now() + Math.min(Math.max(left, 0), 120_000);
  const look = () => {
    const seconds = Math.ceil((until - performance.now()) / 1000);
    button.disabled = seconds > 0;
    tell(button, seconds > 0 ? stage.say.againIn(seconds) : stage.say.again);
    if (seconds <= 0) clearInterval(ticking);
  };
  const ticking = setInterval(look, 1000);
  stage.signal.addEventListener("abort", () => clearInterval(ticking));
  look();
  return made;
}
