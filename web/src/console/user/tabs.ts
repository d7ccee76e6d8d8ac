/** The tabs of a user's page in their order: the first is key 1. Each is the element `laurel-user-<id>`. */
export const tabs = [
  { id: "overview", name: "Overview" },
  { id: "activity", name: "Activity" },
  { id: "points", name: "Points" },
  { id: "rewards", name: "Rewards" },
  { id: "kpis", name: "KPIs" },
  { id: "coupons", name: "Coupons" },
  { id: "leaderboards", name: "Leaderboards" },
  { id: "settings", name: "Settings" },
  { id: "streaks", name: "Streaks" },
] as const;

export type TabName = (typeof tabs)[number]["id"];

/** The tab that an address names by its part after #. */
export function tabOf(hash: string): TabName {
  const name = hash.slice(1);
  return tabs.find(({ id }) => id === name)?.id ?? "overview";
}
