/** "Spend points": a quote of the cart, a slider, and the exact sum that is left to pay. */

import type { Locale } from "@vezde/shared/locale";
import { type Api, isOver } from "./api";
import { h, say as tell } from "./dom";
import type { Cart, Chosen, Quote } from "./model";
import { spendable, totalKopecks } from "./sums";
import { money, points as shown, trouble, type Words } from "./words";

const SETTLE = 200; // a cart that is being changed
const EARLY = 5_000; // before a quote's end
const SOONEST = 10_000;

export interface Told {
  chosen(chosen: Chosen): void;
  over(): void;
}

export class Spending {
  readonly place = h("div", { class: "spending", role: "group" });
  #api: Api;
  #say: Words;
  #locale: Locale;
  #told: Told;
  #cart: Cart | null = null;
  #quote: Quote | null = null;
  #whose: string | null = null;
  #points = 0;
  #asking: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = "";

  constructor(api: Api, say: Words, locale: Locale, told: Told) {
    this.#api = api;
    this.#say = say;
    this.#locale = locale;
    this.#told = told;
    this.place.setAttribute("aria-label", say.spend);
  }

  /** Another cart, or none: the points chosen before stay as far as they can. */
  fill(cart: Cart | null): void {
    this.#cart = cart?.lines.length ? cart : null;
    this.#quote = null;
    if (this.#cart === null) {
      this.stop();
      this.place.replaceChildren();
      return;
    }
    this.#announce();
    if (!this.place.hasChildNodes()) this.#status(this.#say.counting);
    this.#later(SETTLE);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = null;
  }

  #later(milliseconds: number): void {
    this.stop();
    this.#timer = setTimeout(() => void this.#ask(), milliseconds);
  }

  async #ask(): Promise<void> {
    const cart = this.#cart;
    if (cart === null) return;
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const quote = await this.#api.quote(cart, asking.signal);
      if (asking.signal.aborted) return;
      this.#quoted(cart, quote);
    } catch (error) {
      if (asking.signal.aborted) return;
      if (isOver(error)) this.#told.over();
      else this.#failed(error);
    }
  }

  #quoted(cart: Cart, quote: Quote): void {
    this.#quote = quote;
    this.#whose = quote.quote_id;
    const least = Math.max(quote.min_points ?? 0, 1);
    this.#points = spendable(this.#points, least, quote.max_points);
    if (quote.max_points < least) this.#status(this.#say.nothing);
    else this.#slider(cart, quote, least);
    this.#announce();
    const left = new Date(quote.expires_at).getTime() - Date.now() - EARLY;
    this.#timer = setTimeout(() => void this.#ask(), Math.max(left, SOONEST));
  }

  #slider(cart: Cart, quote: Quote, least: number): void {
    const say = this.#say;
    const slider = h("input", {
      id: "points",
      type: "range",
      min: 0,
      max: quote.max_points,
      step: 1,
      value: this.#points,
    });
    const spent = h("output", { for: "points" });
    const pay = h("strong", { class: "pay" });
    const show = () => {
      slider.style.setProperty("--part", `${(100 * this.#points) / quote.max_points}%`);
      slider.setAttribute("aria-valuetext", shown(this.#points, this.#locale));
      tell(spent, shown(this.#points, this.#locale));
      tell(pay, money(this.#pay(cart), this.#locale));
    };
    const choose = (wanted: number) => {
      this.#points = spendable(wanted, least, quote.max_points);
      slider.value = String(this.#points);
      show();
      this.#announce();
    };
    slider.addEventListener("input", () => choose(Number(slider.value)));
    const button = (text: string, wanted: number) =>
      h("button", { class: "chip", type: "button", click: () => choose(wanted) }, text);
    const parts = [
      h("div", { class: "row" }, h("label", { for: "points" }, say.spend), spent),
      slider,
      h("div", { class: "row" }, button(say.none, 0), button(say.all, quote.max_points)),
      h("p", { class: "row sum", "aria-live": "polite" }, h("span", {}, say.pay), pay),
    ];
    if (least > 1) parts.push(h("p", { class: "note" }, say.least(shown(least, this.#locale))));
    if (quote.earn_points > 0) {
      parts.push(h("p", { class: "note" }, say.earn(shown(quote.earn_points, this.#locale))));
    }
    show();
    this.place.replaceChildren(...parts);
  }

  #failed(error: unknown): void {
    this.#points = 0;
    const again = () => {
      this.#status(this.#say.counting);
      void this.#ask();
    };
    this.place.replaceChildren(
      h("p", { class: "wrong", role: "alert" }, trouble(error, this.#say)),
      h("button", { class: "quiet", type: "button", click: again }, this.#say.retry),
    );
    this.#announce();
  }

  #status(text: string): void {
    this.place.replaceChildren(h("p", { class: "note", role: "status" }, text));
  }

  #pay(cart: Cart): number {
    const value = this.#quote?.point_value_kopecks ?? 0;
    return totalKopecks(cart) - this.#points * value;
  }

  /** Until there is a quote of this very cart, nothing can be spent. */
  #announce(): void {
    if (this.#cart === null) return;
    const points = this.#quote ? this.#points : 0;
    const pay = this.#quote ? this.#pay(this.#cart) : totalKopecks(this.#cart);
    // Also with no points: a quote, even of the cart before, tells the server whose order it is.
    const quote_id = this.#quote?.quote_id ?? this.#whose;
    const chosen = { quote_id, points, pay_kopecks: pay };
    if (JSON.stringify(chosen) === this.#last) return;
    this.#last = JSON.stringify(chosen);
    this.#told.chosen(chosen);
  }
}
