export type Theme = "auto" | "light" | "dark";

const name = "laurel.theme"; // a liking, no secret: it may outlive the tab

export function theme(): Theme {
  try {
    const kept = localStorage.getItem(name);
    return kept === "light" || kept === "dark" ? kept : "auto";
  } catch {
    return "auto";
  }
}

export function setTheme(next: Theme): void {
  if (next === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  try {
    if (next === "auto") localStorage.removeItem(name);
    else localStorage.setItem(name, next);
  } catch {
    // storage may be off: then it holds for this page
  }
}

/** The theme that comes after another where somebody goes round. */
export function nextTheme(now: Theme): Theme {
  return now === "auto" ? "dark" : now === "dark" ? "light" : "auto";
}
