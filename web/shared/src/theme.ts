/** Light or dark: as the system has it, until a person chooses. */

export type Theme = "light" | "dark";

const KEY = "vezde.theme";

export function currentTheme(): Theme {
  const saved = localStorage.getItem(KEY);
  if (saved === "light" || saved === "dark") return saved;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export function showTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  showTheme(theme);
}

/** Calls back with the theme now and when the system changes, unless the person has chosen. */
export function followSystem(changed: (theme: Theme) => void): () => void {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const look = () => changed(currentTheme());
  query.addEventListener("change", look);
  look();
  return () => query.removeEventListener("change", look);
}
