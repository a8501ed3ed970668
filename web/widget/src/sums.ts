/** Sums to the kopeck: whole numbers alone, as the server has them. */

import type { Cart, Line } from "./model";

const MILLION = 1_000_000n;

/** Of a line; a fraction of a kopeck rounds half up. */
export function lineKopecks(line: Line): number {
  const micro = BigInt(Math.round(line.quantity * 1e6));
  return Number((micro * BigInt(line.price_kopecks) * 2n + MILLION) / (2n * MILLION));
}

export function totalKopecks(cart: Cart): number {
  const goods = cart.lines.reduce((sum, line) => sum + lineKopecks(line), 0);
  return goods + (cart.delivery_kopecks ?? 0);
}

/** The nearest number of points that may be spent: none, or from `least` to `most`. */
export function spendable(wanted: number, least: number, most: number): number {
  const points = Math.min(Math.max(0, Math.trunc(wanted) || 0), most);
  if (points >= least) return points;
  return points * 2 >= least && least <= most ? least : 0;
}
