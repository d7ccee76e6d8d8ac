import type { components } from "../../api/schema.gen.js";
import type { Draft } from "./draft.js";

export type Activity = components["schemas"]["Activity"];

/** An earlier activity that a refund, a cancel or an award may be of. */
export interface Past {
  readonly id: string;
  readonly at: string;
  /** The points that are left of it; undefined where points are not what it is about. */
  readonly left: number | undefined;
}

/** Those among a user's activities of one kind that a draft can be of, newest first. The server has the last word: it knows older ones too. */
export function pastOf({ kind, action, values }: Draft, activities: readonly Activity[]): Past[] {
  const begins = kind === "bounty" ? "start" : "redeem";
  if (action === "" || action === begins || !["coupon", "point", "bounty"].includes(kind)) return [];
  const counting = activities.filter(({ kind: k, status }) => k === kind && status === "accepted");
  const undone = new Map<string, number>(); // id → points that came back; a coupon and a bounty come back whole
  for (const activity of counting) {
    const { action: did, of } = metaOf(activity);
    if (did === begins || !of) continue;
    undone.set(of, (undone.get(of) ?? 0) + (kind === "point" ? moved(activity) : Infinity));
  }
  const found: Past[] = [];
  for (const activity of counting) {
    if (activity.name !== values["name"] || metaOf(activity).action !== begins) continue;
    const left = moved(activity) - (undone.get(activity.id) ?? 0);
    if (undone.has(activity.id) && !(left > 0)) continue;
    found.push({ id: activity.id, at: activity.at, left: moved(activity) > 0 ? left : undefined });
  }
  return found;
}

function metaOf({ meta }: Activity): { action?: string; of?: string } {
  return (meta ?? {}) as { action?: string; of?: string };
}

/** How many points of the user's an activity moved. */
function moved({ decided }: Activity): number {
  return (decided?.rows ?? []).reduce((sum, { amount }) => sum + Math.abs(Number(amount)), 0);
}
