import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser } from "../src/events.js";
import { check } from "./random.js";

test("the data of events, as the standard has them", () => {
  for (const [text, ...want] of [
    ["data: YHOO\ndata: +2\ndata: 10\n\n", "YHOO\n+2\n10"],
    [": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n", "first event", "second event", " third event"],
    ["data\n\ndata\ndata\n\ndata:", "", "\n"],
    ["data:test\n\ndata: test\n\n", "test", "test"],
    ["retry: 1480\n\nid: E.1\nevent: snapshot\ndata: {}\n\n:\n\nevent: none\n\n", "{}"],
    ["data: a\r\n\r\ndata: b\r\rdata: c\n\r\ndataset: x\n\n", "a", "b", "c"],
  ] as const) {
    assert.deepEqual(new EventParser().push(text), want, text);
  }
});

test("the pieces in which a stream comes make no difference", () => {
  check(300, (random) => {
    const ends = ["\n", "\r\n", "\r"] as const;
    const fields = ["data: a", "data: b", "data", "data:", ":", "id: 1", "event: x", "", "", "data: é\u{1F600}"];
    let text = "";
    for (let i = random.below(40); i > 0; i--) text += random.of(fields) + random.of(ends);
    text += "."; // so that no CR is the last
    const whole = new EventParser().push(text);
    const parser = new EventParser();
    const pieces: string[] = [];
    for (let rest = text; rest !== ""; ) {
      const n = 1 + random.below(5);
      pieces.push(...parser.push(rest.slice(0, n)));
      rest = rest.slice(n);
    }
    assert.deepEqual(pieces, whole);
  });
});
