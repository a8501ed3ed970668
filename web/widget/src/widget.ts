/**
 * `<script src="https://loyalty.example/widget.js" data-key="vezde_pub_…" async></script>` and
 * `<vezde-widget></vezde-widget>` where it is to stand.
 */

import { VezdeWidget } from "./element";
import { settings } from "./settings";

const script = document.currentScript;
if (script instanceof HTMLScriptElement) {
  settings.base = new URL(script.src).origin;
  settings.key = script.dataset.key ?? "";
}
if (!customElements.get("vezde-widget")) customElements.define("vezde-widget", VezdeWidget);
