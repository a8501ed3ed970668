import { h } from "../dom";
import type { Document } from "../model";
import { back, form } from "./forms";
import type { Screen } from "./screen";

/** A step of its own before somebody becomes a member. */
export function consent(signIn: string, code: string, document: Document): Screen {
  return (stage) => {
    const { say } = stage;
    const box = h("input", { id: "agree", type: "checkbox" });
    const send = async () => {
      const given: Record<string, string> = { document_version: document.version };
      // Without an address the words shown are the whole text: what was agreed to is kept.
      const hash = document.url === null ? await sha256(say.consent) : null;
      if (hash) given.text_sha256 = hash;
      stage.enter(await stage.api.enter(signIn, { code, consent: given }));
    };
    const label = h("label", { class: "agree", for: "agree" }, box, h("span", {}, say.consent));
    const made = form(stage, send, say.join, label);
    const button = made.querySelector("button") as HTMLButtonElement;
    button.disabled = true;
    box.addEventListener("change", () => {
      button.disabled = !box.checked;
    });
    const parts = [h("h3", {}, say.consentTitle), made, back(stage)];
    if (document.url !== null && /^https?:/.test(document.url)) {
      const link = { href: document.url, target: "_blank", rel: "noopener noreferrer" };
      made.insertBefore(h("a", link, say.document), label);
    }
    return parts;
  };
}

async function sha256(text: string): Promise<string | null> {
  if (!crypto.subtle) return null; // a page without https
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (one) => one.toString(16).padStart(2, "0")).join("");
}
