import type { components } from "../../api/schema.gen.js";
import type { Person } from "./tab.js";

export type UserChange = components["schemas"]["UserChange"];

/** A custom field's type, as the catalog's `users.fields` declares it. */
export type FieldType = "integer" | "number" | "string" | "boolean";

/** The texts of a profile, with what they are called and what a browser knows of them. */
export const texts = [
  { name: "name", label: "Display name", type: "text" },
  { name: "picture", label: "Picture (address)", type: "url" },
  { name: "first_name", label: "First name", type: "text" },
  { name: "last_name", label: "Last name", type: "text" },
  { name: "email", label: "E-mail", type: "email" },
  { name: "mobile", label: "Mobile", type: "tel" },
  { name: "username", label: "Username", type: "text" },
  { name: "external_id", label: "External id", type: "text" },
  { name: "language", label: "Language", type: "text" },
  { name: "country", label: "Country", type: "text" },
] as const;

/** What a form holds, all of it as text: `fields.x` is the custom field x, `attributes.x` the attribute x. */
export type Form = Readonly<Record<string, string>>;

/** The form of a person. */
export function formOf(person: Person, types: Readonly<Record<string, FieldType>>): Form {
  const profile = person.profile ?? {};
  const form: Record<string, string> = { number: profile.number === undefined ? "" : String(profile.number), timezone: person.timezone ?? "", tags: (profile.tags ?? []).join(", ") };
  for (const { name } of texts) form[name] = profile[name] ?? "";
  for (const name of new Set([...Object.keys(types), ...Object.keys(profile.fields ?? {})])) form[`fields.${name}`] = textOf(profile.fields?.[name]);
  for (const [name, value] of Object.entries(person.attributes ?? {})) form[`attributes.${name}`] = value;
  return form;
}

const textOf = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

/** What to ask the server for so that a person who is as `before` says becomes as `after` says: what did not change is left out. undefined: nothing did. */
export function changeOf(before: Form, after: Form, types: Readonly<Record<string, FieldType>>): UserChange | undefined {
  const change: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(after)) {
    if ((before[name] ?? "") === text) continue;
    const [group, member] = split(name);
    if (member !== undefined) change[group] = { ...(change[group] as object | undefined), [member]: group === "fields" ? valueOf(text, types[member]) : text || null };
    else if (name === "tags") change[name] = tagsOf(text);
    else if (name === "number") change[name] = valueOf(text, "integer");
    else if (name !== "timezone") change[name] = text || null;
    else if (text) change[name] = text; // a zone is changed for another, never taken away
  }
  return Object.keys(change).length === 0 ? undefined : (change as UserChange);
}

function split(name: string): [string, string | undefined] {
  const at = name.indexOf(".");
  return at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 1)];
}

// What is no number goes as it is: the server says what is wrong with it, and where.
function valueOf(text: string, type: FieldType | undefined): unknown {
  if (text === "") return null;
  if (type === "boolean") return text === "true";
  const n = Number(text);
  return (type === "integer" || type === "number") && Number.isFinite(n) ? n : text;
}

export function tagsOf(text: string): string[] {
  return text.split(",").map((tag) => tag.trim()).filter(Boolean);
}

/** The types of custom fields in a catalog, which is whatever its schema lets it be. */
export function typesOf(catalog: unknown): Record<string, FieldType> {
  const { users } = (catalog ?? {}) as { users?: { fields?: Record<string, FieldType> } };
  return users?.fields ?? {};
}

/** The field of the form that a server's error is about: `tags[3]` is the tags. */
export function fieldOf(problem: { readonly field: string | undefined }, form: Form): string | undefined {
  const name = problem.field?.replace(/\[\d+\]$/, "");
  return name !== undefined && name in form ? name : undefined;
}
