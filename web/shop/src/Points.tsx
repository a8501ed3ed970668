import { useEffect, useRef } from "react";
import type { Cart, Chosen } from "./model";

interface Props {
  apiKey: string;
  cart: Cart;
  chosen(chosen: Chosen): void;
}

/** The widget, put into the page as a shop puts it: a script tag and an element. */
export function Points({ apiKey, cart, chosen }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const told = useRef(chosen);
  told.current = chosen;

  useEffect(() => {
    const script = document.createElement("script");
    script.src = "/widget.js";
    script.dataset.key = apiKey;
    if (!document.querySelector('script[src="/widget.js"]')) document.head.append(script);
    const widget = document.createElement("vezde-widget");
    widget.setAttribute("theme", "auto");
    widget.addEventListener("vezde-points", (event) => {
      told.current((event as CustomEvent<Chosen>).detail);
    });
    place.current?.append(widget);
    return () => widget.remove();
  }, [apiKey]);

  const written = JSON.stringify(cart);
  useEffect(() => {
    place.current?.querySelector("vezde-widget")?.setAttribute("cart", written);
  }, [written]);

  return <div ref={place} />;
}
