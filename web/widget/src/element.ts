/**
 * `<vezde-widget key? base? locale="ru|en" theme="auto|light|dark" cart='{"lines": […]}'>`.
 *
 * Events, all of which bubble: `vezde-ready`, `vezde-signed-in` and `vezde-signed-out`,
 * `vezde-points` with `{quote_id, points, pay_kopecks}`: hand `quote_id` and `points` to the shop's
 * server, which asks with its own prices. Without JavaScript of the page `cart` is an attribute.
 */

import type { Locale } from "@vezde/shared/locale";
import { Api } from "./api";
import { h } from "./dom";
import type { About, Cart, Member } from "./model";
import { guest } from "./screens/guest";
import { signedIn } from "./screens/member";
import type { Screen, Stage } from "./screens/screen";
import { settings } from "./settings";
import { Spending } from "./spending";
import css from "./styles.css?inline";
import { trouble, words } from "./words";

export class VezdeWidget extends HTMLElement {
  static readonly observedAttributes = ["cart", "locale", "key", "base"];

  readonly #title = h("h2", { tabindex: -1 });
  readonly #body = h("div", { class: "body" });
  #life: AbortController | null = null;
  #screen: AbortController | null = null;
  #api = new Api("", "");
  #about: About | null = null;
  #cart: Cart | null = null;
  #spending: Spending | null = null;
  #used = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    root.addEventListener("focusin", () => {
      this.#used = true;
    });
    root.append(h("section", { class: "card" }, this.#title, this.#body));
  }

  get cart(): Cart | null {
    return this.#cart;
  }

  set cart(cart: Cart | null) {
    this.#cart = cart;
    this.#spending?.fill(cart);
  }

  connectedCallback(): void {
    this.#life = new AbortController();
    // A property set before the element was defined hides ours.
    if (Object.hasOwn(this, "cart")) {
      const { cart } = this;
      Reflect.deleteProperty(this, "cart");
      this.cart = cart;
    }
    void this.#open();
  }

  disconnectedCallback(): void {
    this.#life?.abort();
    this.#screen?.abort();
    this.#spending?.stop();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return;
    if (name === "cart") this.cart = now ? (JSON.parse(now) as Cart) : null;
    else if (this.#life && !this.#life.signal.aborted) void this.#open();
  }

  async #open(): Promise<void> {
    const life = this.#life?.signal;
    const base = this.getAttribute("base") ?? settings.base;
    this.#api = new Api(base, this.getAttribute("key") ?? settings.key);
    const { say } = this.#language();
    this.#title.textContent = say.title("");
    this.#body.replaceChildren(h("p", { class: "note", role: "status" }, say.loading));
    try {
      const api = this.#api;
      const [about, member] = await Promise.all([api.about(), api.member()]);
      if (life?.aborted || api !== this.#api) return;
      this.#about = about;
      this.#title.textContent = say.title(about.brand);
      this.#tell("vezde-ready", { signed_in: member !== null });
      if (member) this.#enter(member);
      else this.#show(guest);
    } catch (error) {
      if (!life?.aborted) this.#failed(error);
    }
  }

  #show(screen: Screen): void {
    if (this.#about === null) return;
    // A button that was pressed is disabled meanwhile and holds the focus no more.
    const { activeElement } = document;
    const held = this.#used && (activeElement === this || activeElement === document.body);
    this.#screen?.abort();
    const leaves = new AbortController();
    this.#screen = leaves;
    const stage: Stage = {
      api: this.#api,
      about: this.#about,
      ...this.#language(),
      signal: leaves.signal,
      show: (next) => this.#unless(leaves, () => this.#show(next)),
      enter: (member) => this.#unless(leaves, () => this.#enter(member)),
      start: () => this.#unless(leaves, () => this.#show(guest)),
    };
    this.#body.replaceChildren(...screen(stage));
    // Whoever was in the widget goes on there: at the first field, or at its title.
    if (held) (this.#body.querySelector("input") ?? this.#title).focus();
  }

  /** What comes back late changes nothing. */
  #unless(leaves: AbortController, act: () => void): void {
    if (!leaves.signal.aborted) act();
  }

  #enter(member: Member): void {
    const { say, locale } = this.#language();
    this.#spending?.stop();
    const spending = new Spending(this.#api, say, locale, {
      chosen: (chosen) => this.#tell("vezde-points", chosen),
      over: () => this.#left(),
    });
    this.#spending = spending;
    this.#show(signedIn(member, spending.place, () => void this.#leave()));
    this.#tell("vezde-signed-in", { name: member.name, points: member.points.active });
    spending.fill(this.#cart);
  }

  async #leave(): Promise<void> {
    try {
      await this.#api.leave();
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#left();
  }

  #left(): void {
    this.#api.forgetSession();
    this.#spending?.fill(null);
    this.#spending = null;
    this.#tell("vezde-points", { quote_id: null, points: 0, pay_kopecks: null });
    this.#tell("vezde-signed-out", {});
    this.#show(guest);
  }

  #failed(error: unknown): void {
    const { say } = this.#language();
    const again = h("button", { class: "quiet", type: "button" }, say.retry);
    again.addEventListener("click", () => void this.#open());
    const wrong = h("p", { class: "wrong", role: "alert" }, trouble(error, say));
    this.#body.replaceChildren(wrong, again);
  }

  #language(): { locale: Locale; say: ReturnType<typeof words> } {
    const asked = this.getAttribute("locale") ?? document.documentElement.lang;
    const locale: Locale = asked.startsWith("en") ? "en" : "ru";
    this.#title.lang = this.#body.lang = locale;
    return { locale, say: words(locale) };
  }

  #tell(name: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
