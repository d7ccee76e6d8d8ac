import { html, nothing, type TemplateResult } from "lit";
import type { components } from "../../api/schema.gen.js";
import { moment, number } from "../../shared/text.js";

export type Activity = components["schemas"]["Activity"];
export type Grant = components["schemas"]["GivenReward"];

/** A moment, in the reader's zone; none is a dash. */
export function when(at: string | undefined) {
  return at ? html`<time datetime=${at}>${moment(at)}</time>` : dash;
}

export const dash = html`<span class="soft">–</span>`;

/** An amount with its sign. */
export function signed(n: number): string {
  return n > 0 ? `+${number(n)}` : number(n).replace("-", "−");
}

export function empty(text: string | TemplateResult) {
  return html`<p class="card empty soft">${text}</p>`;
}

/** How far something has come, as a bar and as numbers. */
export function progress(value: number, most: number, label: string, met = value >= most) {
  return html`<span class="progress"><progress value=${Math.min(value, most)} max=${most || 1} aria-label=${label} class=${met ? "met" : ""}></progress>
    <span class="small ${met ? "" : "soft"}">${number(value)} <span class="soft">of ${number(most)}</span></span></span>`;
}

const ofStatus: Record<string, string> = { accepted: "", rejected: "bad", ignored: "warn", completed: "", started: "warn", failed: "bad", available: "quiet", issued: "", claimed: "", redeemed: "quiet", expired: "bad" };

export function statusBadge(status: string) {
  return html`<span class="badge ${ofStatus[status] ?? "quiet"}">${status[0]!.toUpperCase()}${status.slice(1).replace("_", " ")}</span>`;
}

/** What an activity carries, in a line. */
export function metaOf({ meta }: Activity): string {
  if (typeof meta !== "object" || meta === null) return "";
  return Object.entries(meta)
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join(" · ");
}

/** A heading with something at its other end. */
export function heading(id: string, text: string, more: unknown = nothing) {
  return html`<div class="heading"><h2 id=${id}>${text}</h2>${more}</div>`;
}

/** What something was issued by, in words: `achievement:hundred` is the achievement hundred. */
export function issuer(by: string | undefined): string {
  if (!by) return "given by hand";
  const at = by.indexOf(":");
  return at < 0 ? by : by.startsWith("coupon:") ? "bought" : `${by.slice(0, at)} ${by.slice(at + 1)}`;
}
