import { html, nothing } from "lit";
import type { components } from "../../api/schema.gen.js";
import { number, periodName } from "../../shared/text.js";

export type Recorded = components["schemas"]["Recorded"];

const reasons: Record<string, string> = {
  blocked: "The user is blocked",
  opted_out: "The user opted out",
  cool_off: "It came within the cool-off after the one before",
  cap: "The cap of the period is reached",
};

/** What became of an activity, in a sentence. */
export function outcome({ status, activity, effects }: Recorded): string {
  const what = activity ? `${activity.kind} ${activity.name}` : "the activity";
  if (status === "duplicate") return `Recorded before: ${what}. Nothing changed.`;
  if (status === "ignored") return `Recorded without effect: ${what}. ${reasons[activity?.reason ?? ""] ?? activity?.reason ?? "It does not count"}.`;
  const moved = effects && (effects.boards.length + effects.wallets.length > 0 || effects.streaks.some(({ extended }) => extended));
  return moved ? `Recorded: ${what}.` : `Recorded: ${what}. No board, streak or wallet moved.`;
}

const signed = (n: number): string => (n > 0 ? `+${number(n)}` : n < 0 ? `−${number(-n)}` : "±0");

/** The rows of what changed: of what, what it is now, and what to say of that. */
export function changes({ effects, closed_for }: Recorded): { readonly sort: string; readonly what: string; readonly now: string; readonly note: string }[] {
  const rank = (now: number | undefined, before: number | undefined) => (now === undefined ? "" : before === undefined ? `rank ${number(now)}, new` : now === before ? `rank ${number(now)}` : `rank ${number(now)}, was ${number(before)}`);
  return [
    ...(effects?.wallets ?? []).map((w) => ({ sort: "Wallet", what: w.wallet, now: signed(Number(w.change)), note: `balance ${number(Number(w.balance))}` })),
    ...(effects?.streaks ?? []).filter(({ extended }) => extended).map((s) => ({ sort: "Streak", what: s.rule, now: number(s.current), note: "extended" })), // the others are as they were
    ...(effects?.boards ?? []).map((b) => ({ sort: "Board", what: `${b.rule}${b.segment ? ` @ ${b.segment}` : ""}, ${periodName(b.cycle).toLowerCase()}`, now: number(Number(b.value)), note: rank(b.rank, b.rank_before) })),
    ...(closed_for ?? []).map((c) => ({ sort: "Board", what: `${c.rule}, ${c.label}`, now: "–", note: "closed: too late to count" })),
  ];
}

/** What became of an activity: the sentence, and what changed as a table. */
export function effectsView(answer: Recorded) {
  const rows = changes(answer);
  return html`
    <p class="outcome"><strong>${outcome(answer)}</strong> <span class="soft small">Id <code>${answer.id}</code>, kept: ${answer.durability}.</span></p>
    ${rows.length === 0 ? nothing : html`
      <div class="scroll effects" tabindex="0" role="group" aria-label="What it changed">
        <table class="table small"><thead class="sr"><tr><th scope="col">What</th><th scope="col">Which</th><th scope="col">Now</th><th scope="col">Note</th></tr></thead>
          <tbody>${rows.map(({ sort, what, now, note }) => html`<tr><td class="soft">${sort}</td><th scope="row">${what}</th><td class="number">${now}</td><td class="soft">${note}</td></tr>`)}</tbody></table>
      </div>`}`;
}

const inShort = 3; // changes

/** What became of an activity in few words: the sentence, and the first things that changed. */
export function effectsInShort(answer: Recorded) {
  const rows = changes(answer);
  const more = rows.length - inShort;
  return html`<span>${outcome(answer)}${rows.slice(0, inShort).map(({ what, now, note }) => html`<br><span class="small">${what} <strong>${now}</strong> <span class="soft">${note}</span></span>`)}
    ${more > 0 ? html`<br><span class="soft small">and ${number(more)} more</span>` : nothing}</span>`;
}
