import assert from "node:assert/strict";
import { test } from "node:test";

test("the package, as it is published, exports what the readme names", async () => {
  const name = "@laurel/client"; // a name that the compiler does not follow into src
  const exported = (await import(name)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(exported).sort(), ["Laurel", "LaurelError", "Problem", "Rest", "applyDelta", "applyUserDelta", "compareRows", "compareUsers"]);
});
