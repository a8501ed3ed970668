/** What the script tag says; an element's attributes go before. */
export const settings = { base: "", key: "" };
