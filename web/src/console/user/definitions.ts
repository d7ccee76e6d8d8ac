import { Problem, type Rest } from "@laurel/client";
import type { paths } from "../../api/schema.gen.js";
import { number } from "../../shared/text.js";
import type { Kind } from "./draft.js";

export type MetaType = "integer" | "number" | "string" | "boolean";

/** A definition of the catalog, as far as a form needs it. */
export interface Definition {
  readonly id: string;
  readonly name: string;
  /** What is worth knowing before it is chosen. */
  readonly about: string;
  /** What is declared of a behaviour's metadata; absent where nothing is. */
  readonly meta?: Readonly<Record<string, MetaType>>;
}

/**
 * The definitions that activities of a kind name, in the catalog's order; of rewards those with a price. undefined: the key may not read the catalog, so that
 * names have to be typed.
 */
export async function definitionsOf(api: Rest<paths>, kind: Kind, signal: AbortSignal): Promise<readonly Definition[] | undefined> {
  try {
    return await lists[kind](api, signal);
  } catch (err) {
    if (err instanceof Problem && err.code === "forbidden") return undefined;
    throw err;
  }
}

interface Points {
  readonly wallet: string;
  readonly points: number;
}

/** Members of the catalog's definitions, whose schema is the catalog's own and not that of the API. */
interface Raw {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly meta?: Record<string, MetaType>;
  readonly cool_off?: string;
  readonly cap?: { readonly per: string; readonly count: number };
  readonly price?: Points;
  readonly cost?: Points;
  readonly gives?: Partial<Points> & { readonly reward?: string };
  readonly wallet?: string;
  readonly min?: number;
  readonly max?: number;
}

type Reader = (api: Rest<paths>, signal: AbortSignal) => Promise<Definition[]>;

const lists: Record<Kind, Reader> = {
  behaviour: async (api, signal) => raw((await api.get("/v1/catalog/behaviours", { signal })).behaviours).map((d) => ({ id: d.name, name: d.name, about: limits(d), ...(d.meta ? { meta: d.meta } : {}) })),
  coupon: async (api, signal) => raw((await api.get("/v1/catalog/rewards", { signal })).rewards).filter((d) => d.price).map((d) => named(d, `Costs ${points(d.price!)}.`)),
  point: async (api, signal) => raw((await api.get("/v1/catalog/wallets", { signal })).wallets).map((d) => named(d, "")),
  gift: async (api, signal) => raw((await api.get("/v1/catalog/gifts", { signal })).gifts).map((d) => named(d, given(d))),
  bounty: async (api, signal) => raw((await api.get("/v1/catalog/bounties", { signal })).bounties).map((d) => named(d, held(d))),
};

const raw = (list: unknown): readonly Raw[] => list as readonly Raw[];
const named = (d: Raw, about: string): Definition => ({ id: d.id, name: d.name ?? d.id, about: [about, d.description].filter(Boolean).join(" ") });
const points = ({ wallet, points: n }: Points): string => `${number(n)} ${wallet}`;

function limits({ cool_off, cap }: Raw): string {
  return [cool_off && !/^0[a-z]*$/.test(cool_off) ? `Once in ${cool_off}.` : "", cap ? `At most ${number(cap.count)} a ${cap.per}.` : ""].filter(Boolean).join(" ");
}

function given({ cost, gives }: Raw): string {
  const what = gives?.reward ?? (gives?.wallet ? points(gives as Points) : "");
  return [cost ? `Costs ${points(cost)}.` : "", what ? `Gives ${what}.` : ""].filter(Boolean).join(" ");
}

function held({ wallet, min, max }: Raw): string {
  const range = min !== undefined && max !== undefined ? `${number(min)} to ${number(max)}` : min !== undefined ? `At least ${number(min)}` : max !== undefined ? `At most ${number(max)}` : "Any number";
  return `${range} of ${wallet}.`;
}
