import { html, nothing } from "lit";
import type { components } from "../../api/schema.gen.js";
import { number } from "../../shared/text.js";
import { dash, empty, heading, issuer, progress, statusBadge, when, type Grant } from "./parts.js";
import { UserTab, type Person } from "./tab.js";

type Part = components["schemas"]["EarnedPart"];
type Stage = "completed" | "progress" | "available";
type Shown = Stage | "" | "given";

/** Something that can be completed, whatever its kind. */
interface Goal {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly stage: Stage;
  readonly note: unknown;
  readonly value: number;
  readonly most: number;
  readonly parts: readonly Part[];
}

const choices: readonly (readonly [Shown, string])[] = [["", "All"], ["completed", "Completed"], ["progress", "In progress"], ["available", "Available"], ["given", "Given"]];
const mostGrants = 100;

/** What can be completed and how far it is, by criterion, and what was given. */
export class UserRewards extends UserTab<readonly Grant[]> {
  static override properties = { ...UserTab.properties, choice: { state: true } };
  declare choice: Shown;

  constructor() {
    super();
    this.choice = "";
  }

  protected override async read(signal: AbortSignal): Promise<readonly Grant[]> {
    const { rewards } = await this.session.rest.get("/v1/users/{user}/rewards", { path: { user: this.user }, query: { limit: mostGrants }, signal });
    return rewards.filter(({ by }) => !by?.startsWith("coupon:"));
  }

  protected override show() {
    const [goals, given] = [goalsOf(this.person!), this.data!];
    const count = (choice: Shown) => (choice === "given" ? given.length : choice === "" ? goals.length + given.length : goals.filter((g) => g.stage === choice).length);
    return html`
      <div class="choice" role="group" aria-label="Which">${choices.map(([choice, name]) => html`<button aria-pressed=${choice === this.choice ? "true" : "false"} @click=${() => (this.choice = choice)}>${name}
        <span class="soft small">${number(count(choice))}</span></button>`)}</div>
      ${this.choice === "given" ? nothing : this.#goals(goals)}
      ${this.choice === "" || this.choice === "given" ? givenOf(given) : nothing}`;
  }

  #goals(goals: readonly Goal[]) {
    const shown = goals.filter(({ stage }) => this.choice === "" || stage === this.choice);
    return html`<section aria-labelledby="goals">${heading("goals", "Achievements, levels and missions")}
      ${shown.length === 0 ? empty(goals.length === 0 ? "The catalog has nothing to complete." : "None.") : html`<ul class="goals">${shown.map(goalOf)}</ul>`}</section>`;
  }
}

function givenOf(given: readonly Grant[]) {
  return html`<section aria-labelledby="given">${heading("given", "Rewards that were given")}
    ${given.length === 0 ? empty("None yet.") : html`<div class="card scroll"><table class="table stack"><caption class="sr">Rewards</caption>
      <thead><tr><th scope="col">Reward</th><th scope="col">Status</th><th scope="col">For</th><th scope="col">Given</th><th scope="col">Code</th><th scope="col">Expires</th></tr></thead>
      <tbody>${given.map((g) => html`<tr><th scope="row"><span class="name">${g.name ?? g.reward}</span>${g.entry_count ? html` <span class="soft small">${number(g.entry_count)} ${g.entry_count === 1 ? "entry" : "entries"}</span>` : nothing}</th>
        <td data-label="Status">${statusBadge(g.status)}</td><td class="soft" data-label="For"><bdi>${issuer(g.by)}</bdi></td><td data-label="Given">${when(g.issued_at)}</td><td data-label="Code">${g.code ? html`<code>${g.code}</code>` : dash}</td><td data-label="Expires">${when(g.expires_at)}</td></tr>`)}</tbody></table></div>`}</section>`;
}

function goalOf(goal: Goal) {
  return html`<li class="card goal ${goal.stage}">
    <div class="heading"><div><h3>${goal.name}</h3><span class="soft small">${goal.kind}</span></div><span class="badge ${goal.stage === "completed" ? "" : goal.stage === "progress" ? "warn" : "quiet"}">${choices.find(([choice]) => choice === goal.stage)![1]}</span></div>
    ${goal.description ? html`<p class="small">${goal.description}</p>` : nothing}
    ${goal.parts.length === 0 ? progress(goal.value, goal.most, goal.name, goal.stage === "completed") : html`<ul class="parts">${goal.parts.map((part) => html`
      <li><span class="small"><span class="tick" aria-hidden="true">${part.met ? "✓" : "○"}</span> <bdi>${criterion(part.of)}</bdi>${part.met ? html`<span class="sr">, met</span>` : nothing}</span>${progress(part.progress, part.progress_max, criterion(part.of), part.met)}</li>`)}</ul>`}
    ${goal.note ? html`<p class="soft small">${goal.note}</p>` : nothing}
  </li>`;
}

/** What a criterion looks at, in words. */
function criterion(of: string): string {
  const at = of.indexOf(":");
  const [kind, names] = at < 0 ? [of, ""] : [of.slice(0, at), of.slice(at + 1).replaceAll(",", ", ")];
  if (kind === "behaviour") return names || "anything done";
  if (kind === "activity") return names || "any activity";
  return `${kind[0]!.toUpperCase()}${kind.slice(1)}${names ? ` ${names}` : ""}`;
}

function goalsOf(person: Person): Goal[] {
  const goals: Goal[] = [];
  for (const a of person.achievements ?? []) {
    const times = a.times > 1 || (a.per !== "all" && a.times > 0) ? `${number(a.times)} times, last ` : "";
    goals.push({
      kind: a.per === "all" ? "Achievement" : `Achievement, each ${a.per}`, id: a.achievement, name: a.name ?? a.achievement, description: a.description, value: a.progress, most: a.progress_max, parts: a.criteria ?? [],
      stage: a.completed ? "completed" : a.progress > 0 || a.criteria?.some((c) => c.progress > 0) ? "progress" : "available", note: a.last_completed_at ? html`${times || "Completed "}${when(a.last_completed_at)}` : undefined,
    });
  }
  for (const l of person.levels ?? []) {
    const earned = person.wallets?.find((w) => w.wallet === l.wallet)?.earned ?? 0;
    const note = `${l.step_name ?? "No step yet"}${l.next ? `; ${number(l.next.missing)} more for ${l.next.name}` : ", the last"}`;
    goals.push({ kind: `Level by ${l.wallet}`, id: l.level, name: l.name ?? l.level, description: l.description, value: earned, most: l.next?.at ?? earned, parts: [], stage: l.next ? (earned > 0 ? "progress" : "available") : "completed", note });
  }
  for (const m of person.missions ?? []) {
    const note = m.status === "completed" ? html`Completed ${when(m.completed_at)}` : m.status === "failed" ? html`Failed ${when(m.failed_at)}` : m.deadline ? html`Until ${when(m.deadline)}` : undefined;
    goals.push({ kind: m.status === "failed" ? "Mission, failed" : "Mission", id: m.mission, name: m.name ?? m.mission, description: m.description, value: 0, most: 0, parts: m.needs ?? [], stage: m.status === "completed" ? "completed" : m.status === "started" ? "progress" : "available", note });
  }
  const order: Record<Stage, number> = { progress: 0, available: 1, completed: 2 };
  return goals.sort((a, b) => order[a.stage] - order[b.stage]);
}

customElements.define("laurel-user-rewards", UserRewards);
