import { h } from "../dom";
import { byCode } from "./code";
import { form } from "./forms";
import { byLink } from "./link";
import type { Screen, Stage } from "./screen";

/** Nobody is signed in: by a messenger, or by phone. */
export const guest: Screen = (stage) => {
  const { about, say } = stage;
  const parts: HTMLElement[] = [h("p", {}, about.enrols ? say.inviteNew : say.invite)];
  if (about.messengers.includes("telegram")) {
    const begin = async () => {
      stage.show(byLink(await stage.api.byMessenger("telegram")));
    };
    parts.push(form(stage, begin, say.telegram), h("p", { class: "or" }, say.or));
  }
  parts.push(phone(stage));
  return parts;
};

function phone(stage: Stage): HTMLElement {
  const { say } = stage;
  const field = h("input", {
    id: "phone",
    type: "tel",
    name: "tel",
    autocomplete: "tel",
    inputmode: "tel",
    placeholder: "+7 900 000-00-00",
    maxlength: 40,
  });
  const send = async () => {
    const number = field.value.trim();
    stage.show(byCode(number, await stage.api.byPhone(number, stage.locale)));
  };
  const made = form(stage, send, say.getCode, h("label", { for: "phone" }, say.phone), field);
  made.querySelector("button")?.classList.toggle("second", stage.about.messengers.length > 0);
  return made;
}
