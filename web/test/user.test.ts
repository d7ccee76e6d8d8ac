// What the page of a user makes of forms, addresses and news.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeOf, fieldOf, formOf, tagsOf, typesOf, type Form } from "../src/console/user/edit-fields.js";
import { Latest } from "../src/console/user/latest.js";
import { tabOf, tabs } from "../src/console/user/tabs.js";

const types = { visits: "integer", revenue: "number", plan: "string", member: "boolean" } as const;
const ada = {
  id: "ada", timezone: "Europe/London", streaks: [], ranks: [], attributes: { shoe: "38" },
  profile: { name: "Ada", email: "ada@x.org", number: 7, tags: ["vip", "beta"], fields: { revenue: 2.5, member: false, gone: "still there" } },
};

test("a form of a person is that person: sent unchanged it asks for nothing", () => {
  const form = formOf(ada, types);
  assert.deepEqual([form["name"], form["number"], form["tags"], form["fields.member"], form["fields.visits"], form["fields.gone"], form["attributes.shoe"]], ["Ada", "7", "vip, beta", "false", "", "still there", "38"]);
  assert.equal(changeOf(form, { ...form }, types), undefined);
});

test("only what was changed is asked for, as the type that it is of; what was emptied is removed", () => {
  const form = formOf(ada, types);
  const change = (to: Form) => changeOf(form, { ...form, ...to }, types);
  assert.deepEqual(change({ name: "", email: "a@x.org", number: "", tags: " one ,, two," }), { name: null, email: "a@x.org", number: null, tags: ["one", "two"] });
  assert.deepEqual(change({ "fields.visits": "12", "fields.revenue": "-0.5", "fields.plan": "7", "fields.member": "true", "fields.gone": "" }), { fields: { visits: 12, revenue: -0.5, plan: "7", member: true, gone: null } });
  assert.deepEqual(change({ "fields.visits": "many", number: "x" }), { fields: { visits: "many" }, number: "x" }, "the server says what is wrong with it");
  assert.deepEqual(change({ "attributes.shoe": "", "attributes.hat": "6" }), { attributes: { shoe: null, hat: "6" } });
  assert.equal(change({ timezone: "" }), undefined, "a zone is changed for another, never taken away");
  assert.deepEqual(change({ timezone: "Asia/Tokyo" }), { timezone: "Asia/Tokyo" });
});

test("what the server refuses belongs to a field of the form, or to none", () => {
  const form = formOf(ada, types);
  const at = (field: string | undefined) => fieldOf({ field }, form);
  assert.deepEqual(["email", "tags[3]", "fields.visits", "attributes.shoe"].map(at), ["email", "tags", "fields.visits", "attributes.shoe"]);
  assert.deepEqual(["attributes", "fields.other", undefined].map(at), [undefined, undefined, undefined]);
  assert.deepEqual([typesOf({ users: { fields: types } }), typesOf({}), typesOf(undefined)], [types, {}, {}]);
  assert.deepEqual(tagsOf(" , "), []);
});

test("addresses name tabs; what names none is the first", () => {
  for (const { id } of tabs) assert.equal(tabOf(`#${id}`), id);
  for (const hash of ["", "#", "#nothing", "#key=sk_1"]) assert.equal(tabOf(hash), "overview");
});

test("one thing is done at a time, and once more for all who asked meanwhile", async () => {
  const begun: { signal: AbortSignal; end: () => void }[] = [];
  const latest = new Latest((signal) => new Promise<void>((resolve) => begun.push({ signal, end: resolve })));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 5; i++) latest.ask();
  assert.equal(begun.length, 1);
  begun[0]!.end();
  await settled();
  assert.equal(begun.length, 2, "once more, not four times");
  begun[1]!.end();
  await settled();
  assert.equal(begun.length, 2);
  latest.ask();
  latest.ask();
  latest.restart();
  assert.deepEqual([begun.length, begun[2]!.signal.aborted, begun[3]!.signal.aborted], [4, true, false]);
  begun[2]!.end(); // what was given up asks for nothing
  await settled();
  assert.equal(begun.length, 4);
  latest.ask();
  latest.stop();
  begun[3]!.end();
  await settled();
  assert.deepEqual([begun.length, begun[3]!.signal.aborted], [4, true]);
});
