import { h } from "../dom";
import type { Member } from "../model";
import { lastDay, points } from "../words";
import type { Screen, Stage } from "./screen";

/** Who is signed in: the balance, what of it ends next, and `below` it the spending of points. */
export function signedIn(member: Member, below: HTMLElement, leave: () => void): Screen {
  return (stage) => {
    const { say } = stage;
    const out = h("button", { class: "quiet", type: "button", click: leave }, say.leave);
    return [
      h("div", { class: "who" }, h("p", {}, say.hello(member.name)), out),
      h(
        "p",
        { class: "balance" },
        h("span", {}, say.balance),
        h("strong", {}, points(member.points.active, stage.locale)),
      ),
      ...notes(stage, member).map((text) => h("p", { class: "note" }, text)),
      below,
    ];
  };
}

function notes({ say, locale }: Stage, member: Member): string[] {
  const { next_expiry: next, pending, held } = member.points;
  const found = [];
  if (next) found.push(say.expiry(points(next.points, locale), lastDay(next.at, locale)));
  if (pending > 0) found.push(say.pending(points(pending, locale)));
  if (held > 0) found.push(say.held(points(held, locale)));
  return found;
}
