/** What widgets say, but for names and numbers. A page in another language sets its own: the property or attribute `labels`. `{…}` is filled in. */
export const english = {
  rank: "Rank",
  user: "Name",
  score: "Score",
  you: "You",
  up: "up {n}",
  down: "down {n}",
  of: "of {n}",
  toNext: "{n} to overtake {name}",
  first: "In the lead",
  unranked: "Not ranked yet",
  empty: "Nobody is on this board yet",
  leads: "{name} leads with {n}",
  youAre: "You are at rank {n}",
  ends: "Ends in {time}",
  ended: "Ended",
  days: "{n}-day streak",
  weeks: "{n}-week streak",
  months: "{n}-month streak",
  periods: "Streak of {n}",
  longest: "Longest {n}",
  freezes: "Freezes {n}",
  left: "{time} left to keep it",
  done: "Done for now",
  start: "Do something today to start a streak",
  paused: "Paused",
  broken: "It ended",
  met: "met",
  missed: "missed",
  frozen: "covered by a freeze",
  open: "still open",
  loading: "Loading",
  reconnecting: "Reconnecting",
  offline: "You are offline",
  old: "May be out of date",
  asOf: "As of {time}",
  failed: "This cannot be shown",
};

export type Words = typeof english;

/** Fills in what a text leaves open. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (open, name: string) => values[name] ?? open);
}
