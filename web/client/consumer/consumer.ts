// What an application writes, compiled against the package as it is published: without the types of a browser or of Node.
import { applyDelta, Laurel, type BoardState, type LaurelError, type View, type WebSocketConstructor } from "@laurel/client";

declare const WebSocket: WebSocketConstructor;

const laurel = new Laurel({ url: "https://laurel.example", token: async () => "secret", WebSocket });
laurel.on("error", (error: LaurelError) => error.final);

const view: View<BoardState> = laurel.top({ rule: "points", period: "week", limit: 3, fields: ["profile"] }, { max_hz: 1 });
export const off: () => void = view.on("change", ({ rows }) => rows.map((row) => `${row.rank} ${row.profile?.name ?? row.user}`));
view.on("delta", ({ upsert, remove }) => upsert.length + remove.length);

const user = laurel.user("ada");
user.on("delta", ({ unset }) => unset?.length);
user.on("event", ({ type }) => type.startsWith("streak."));
export const streaks: number | undefined = user.state?.user.streaks.length;

export async function first(): Promise<string | undefined> {
  for await (const { rows } of view) return rows[0]?.user;
  return undefined;
}

export const next: BoardState | undefined = view.state && applyDelta(view.state, { prev: 1, seq: 2, as_of: "", total: 0, upsert: [], remove: [] });

const page = laurel.range({ rule: "points", period: "week", from: 101, to: 150 });
export const old: boolean = page.status === "stale" && page.staleSince !== undefined;
page.on("stale", ({ as_of }) => as_of.length);
page.on("fresh", () => page.close());
export const streams = new Laurel({ url: "/", token: "secret", transport: "sse" }).transport === "sse";

// @ts-expect-error there is no such transport
new Laurel({ url: "/", token: "secret", transport: "post" });
// @ts-expect-error a board has a rule and a period
laurel.top({ rule: "points" });
// @ts-expect-error what a view holds is not to be changed
if (view.state) view.state.total = 1;
// @ts-expect-error only the library emits
view.emit("state", "live");
