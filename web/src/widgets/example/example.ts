// Fills in the example page from its form, or from the part of its address after #, which browsers send to nobody.
const form = document.querySelector("form")!;
const fields = ["key", "rule", "period", "user", "streak"] as const;
const input = (name: string) => form.elements.namedItem(name) as HTMLInputElement;

function show(): void {
  const [key, rule, period, user, streak] = fields.map((name) => input(name).value.trim());
  const attributes = { key: key!, rule: rule!, period: period!, user: user! };
  for (const element of document.querySelectorAll("laurel-leaderboard, laurel-rank")) apply(element, attributes);
  for (const element of document.querySelectorAll("laurel-streak")) apply(element, { key: key!, user: user!, rule: streak! });
  for (const code of document.querySelectorAll<HTMLElement>("code[data-for]")) {
    const name = code.dataset["for"]!;
    const file = `${location.origin}/widgets/v1/${name.slice("laurel-".length)}.js`;
    const who = user ? ` user="${user}"` : "";
    code.textContent = `<script type="module" src="${file}"></script>\n<${name} key="pk_…" rule="${rule}" period="${period}"${who}></${name}>`;
  }
}

function apply(element: Element, attributes: Record<string, string>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value) element.setAttribute(name, value);
    else element.removeAttribute(name);
  }
}

const given = new URLSearchParams(location.hash.slice(1));
for (const name of fields) if (given.has(name)) input(name).value = given.get(name)!;
if (given.has("key")) history.replaceState(null, "", location.pathname); // the key leaves the address bar and the history
show();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
