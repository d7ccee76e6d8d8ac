import type { components } from "../../api/schema.gen.js";
import type { Definition } from "./definitions.js";

export type ActivityIn = components["schemas"]["ActivityIn"];
export type Kind = NonNullable<ActivityIn["kind"]>;

/** What can be logged by hand, in the order of the tabs, and what can be done with each; the first is what is asked for most. */
export const kinds: readonly { readonly kind: Kind; readonly name: string; readonly actions: readonly string[] }[] = [
  { kind: "behaviour", name: "Behaviour", actions: [] },
  { kind: "coupon", name: "Coupon", actions: ["redeem", "refund"] },
  { kind: "point", name: "Point", actions: ["increment", "set", "redeem", "refund"] },
  { kind: "gift", name: "Gift", actions: [] },
  { kind: "bounty", name: "Bounty", actions: ["start", "cancel", "award"] },
];

/** A field of a form. Its name is the one by which the server names it where it is at fault: `name`, `value`, `meta.to`. */
export interface Field {
  readonly name: string;
  readonly label: string;
  /** definition: one of the catalog's; person: a user; past: the id of an earlier activity; choice: yes, no, or neither. */
  readonly type: "definition" | "text" | "number" | "integer" | "choice" | "time" | "person" | "past";
  readonly hint?: string;
}

/** A member of meta that no definition declares. */
export interface Pair {
  readonly key: string;
  readonly type: "text" | "number" | "choice";
  readonly value: string;
}

/** What somebody has filled in for one kind: by the names of fields, all of it text. */
export interface Draft {
  readonly kind: Kind;
  /** "" where the kind has none. */
  readonly action: string;
  readonly values: Readonly<Record<string, string>>;
  readonly pairs: readonly Pair[];
}

export function emptyDraft(kind: Kind): Draft {
  return { kind, action: kinds.find((k) => k.kind === kind)?.actions[0] ?? "", values: {}, pairs: [] };
}

const nouns: Record<Kind, string> = { behaviour: "Behaviour", coupon: "Coupon", point: "Wallet", gift: "Gift", bounty: "Bounty" };

/** The fields that a draft asks for. `chosen` is the definition that it names. */
export function fieldsOf({ kind, action }: Draft, chosen: Definition | undefined): Field[] {
  const fields: Field[] = [];
  if (kind === "gift") fields.push({ name: "user", label: "From", type: "person", hint: "Who gives it, and pays what it costs." });
  fields.push({ name: "name", label: nouns[kind], type: "definition", ...(chosen?.about ? { hint: chosen.about } : {}) });
  if (action === "refund" || action === "cancel" || action === "award") fields.push({ name: "meta.of", label: kind === "bounty" ? "Which one" : "What was redeemed", type: "past" });
  if (action === "award") fields.push({ name: "meta.to", label: "To", type: "person", hint: "Who gets the points." });
  if (kind === "point") fields.push({ name: "value", label: action === "set" ? "New balance" : "Points", type: "number", ...(action === "refund" ? { hint: "Empty: all that is left of it." } : {}) });
  if (action === "start") fields.push({ name: "value", label: "Points", type: "number" });
  if (kind === "behaviour") {
    fields.push({ name: "value", label: "Value", type: "number", hint: "For rules that add it up. It may be left out." });
    for (const [name, type] of Object.entries(chosen?.meta ?? {})) fields.push({ name: `meta.${name}`, label: name, type: typeOf[type] });
  }
  fields.push({ name: "at", label: "When", type: "time", hint: "Empty: now." });
  return fields;
}

const typeOf = { string: "text", number: "number", integer: "integer", boolean: "choice" } as const;

/** A draft as the server takes it, or what is wrong with it by the names of fields. What the server would refuse is left to the server to refuse. */
export type Made = { readonly activity: ActivityIn; readonly faults?: undefined } | { readonly activity?: undefined; readonly faults: Readonly<Record<string, string>> };

/** Makes an activity of a draft. `user` is who did it; of a gift, who gets it. */
export function activityOf(draft: Draft, fields: readonly Field[], user: string, id: string): Made {
  const out: Record<string, unknown> = { id, user, kind: draft.kind };
  const meta: Record<string, unknown> = draft.action ? { action: draft.action } : draft.kind === "gift" ? { to: user } : {};
  const faults: Record<string, string> = {};
  for (const { name, type } of fields) {
    const text = draft.values[name]?.trim() ?? "";
    const [to, member] = name.startsWith("meta.") ? [meta, name.slice("meta.".length)] : [out, name];
    if (text === "") {
      if (name === "user") delete out["user"]; // or the page's user would give
      continue;
    }
    const value = type === "time" ? withOffset(text) : valueOf(text, type);
    // Rules pass over a member of another type without a word; a value of another type the server refuses itself.
    if (value === undefined && to === meta) faults[name] = type === "integer" ? "This must be a whole number." : "This must be a number.";
    else to[member] = value ?? text;
  }
  for (const [i, { key, type, value }] of draft.pairs.entries()) {
    const found = valueOf(value.trim(), type);
    if (key === "" && value === "") continue;
    if (key === "") faults[`pair.${i}`] = "A member needs a name.";
    else if (Object.hasOwn(meta, key)) faults[`pair.${i}`] = "There is another member of this name.";
    else if (found === undefined) faults[`pair.${i}`] = type === "number" ? "This must be a number." : "This must be yes or no.";
    else meta[key] = found;
  }
  if (Object.keys(faults).length > 0) return { faults };
  return { activity: { ...out, ...(Object.keys(meta).length > 0 ? { meta } : {}) } as ActivityIn };
}

/** What a text means in a field of a type; undefined where it means nothing there. */
function valueOf(text: string, type: Field["type"]): unknown {
  switch (type) {
    case "number":
      return text !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;
    case "integer":
      return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
    case "choice":
      return text === "true" ? true : text === "false" ? false : undefined;
    default:
      return text;
  }
}

/** A local time, as a field for it has it, with the offset that is in force here then. What is no such time stays as it is. */
export function withOffset(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const ahead = -at.getTimezoneOffset();
  const two = (n: number) => String(n).padStart(2, "0");
  const seconds = /T\d\d:\d\d$/.test(text) ? ":00" : "";
  return `${text}${seconds}${ahead < 0 ? "-" : "+"}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`;
}

// Where a refusal is shown that names no field of the form: at the first of these that it has.
const places: Record<string, readonly string[]> = {
  gift_to_self: ["user"],
  insufficient_points: ["value", "name"],
  out_of_stock: ["name"],
  too_many_bounties: ["name"],
};

/** The field beside which a refusal is shown; undefined: it is about the whole. */
export function fieldOf(refusal: { readonly code: string; readonly field: string | undefined }, fields: readonly Field[]): string | undefined {
  const wanted = [refusal.field, ...(places[refusal.code] ?? [])];
  return wanted.find((name) => fields.some((field) => field.name === name));
}
