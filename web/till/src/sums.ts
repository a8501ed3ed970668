/** What a cashier types as money: "1 234,5" -> 123450 kopecks; null: not a sum. */
export function kopecks(text: string): number | null {
  const plain = text.replace(/[\s\u00a0]/g, "").replace(",", ".");
  const found = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(plain);
  if (!found) return null;
  return Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
}

/** Points to give, or with a minus to take: "−1 500" -> -1500; null: no number, or nothing. */
export function wholePoints(text: string): number | null {
  const plain = text.replace(/[\s\u00a0]/g, "").replace("−", "-");
  const count = /^[+-]?\d{1,9}$/.test(plain) ? Number(plain) : 0;
  return count || null;
}

/** Nine digits are a card's code; the rest is a phone. */
export function asked(text: string): { phone: string } | { card: string } {
  const digits = text.replace(/\D/g, "");
  return digits.length === 9 && !text.includes("+") ? { card: digits } : { phone: text.trim() };
}
