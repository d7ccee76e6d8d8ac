// Requests, their answers, and what is told of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, Rest, type Exchange, type RestFetch } from "../src/index.js";

interface Paths {
  "/v1/users/{user}": {
    get: { parameters: { path: { user: string }; query?: { at?: string } }; responses: { 200: { content: { "application/json": { id: string } } } } };
    delete: { parameters: { path: { user: string } }; responses: { 204: object } };
  };
  "/v1/users": { post: { parameters: object; requestBody: { content: { "application/json": { name: string } } }; responses: { 201: { content: { "application/json": { id: string } } } } } };
}

type Sent = { url: string; init: Parameters<RestFetch>[1] };

function rest(answers: (Response | Error)[], told: Exchange[] = []): { api: Rest<Paths>; sent: Sent[] } {
  const sent: Sent[] = [];
  const api = new Rest<Paths>({
    url: "https://laurel.example/",
    token: async () => "pk_1",
    org: "shop",
    onExchange: (exchange) => told.push(exchange),
    fetch: async (url, init) => {
      sent.push({ url, init });
      const answer = answers.shift()!;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { api, sent };
}

const json = (status: number, body: unknown, type = "application/json") => new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } });

test("a request: address, headers, body, answer", async () => {
  const { api, sent } = rest([json(200, { id: "a/b" }), json(201, { id: "new" })]);
  assert.equal((await api.get("/v1/users/{user}", { path: { user: "a/b é" }, query: { at: "2026-11-21T00:00:00Z" } })).id, "a/b");
  assert.equal(sent[0]!.url, "https://laurel.example/v1/users/a%2Fb%20%C3%A9?at=2026-11-21T00%3A00%3A00Z");
  assert.deepEqual(sent[0]!.init.headers, { Authorization: "Bearer pk_1", "Laurel-Org": "shop" });
  assert.equal((await api.post("/v1/users", { body: { name: "n" } })).id, "new");
  assert.equal(sent[1]!.init.body, `{"name":"n"}`);
});

test("users named . and .. are not other addresses, and what is left out is not sent", async () => {
  const { api, sent } = rest([json(200, {}), json(200, {})]);
  await api.get("/v1/users/{user}", { path: { user: ".." }, query: { at: undefined } });
  await api.get("/v1/users/{user}", { path: { user: "." } });
  assert.deepEqual(sent.map(({ url }) => url), ["https://laurel.example/v1/users/%2E%2E", "https://laurel.example/v1/users/%2E"]);
});

test("no content is no answer", async () => {
  const { api } = rest([new Response(null, { status: 204 })]);
  assert.equal(await api.delete("/v1/users/{user}", { path: { user: "a" } }), undefined);
});

test("a problem has its code and its field; one that is no JSON, and a network that is not there, are problems too", async () => {
  const problem = { code: "bad_request", detail: "This is not a name.", field: "name" };
  const { api } = rest([json(400, problem, "application/problem+json"), new Response("<html>", { status: 502 }), new TypeError("offline")]);
  const failing = async () => {
    const err = await api.post("/v1/users", { body: { name: "" } }).catch((e: unknown) => e);
    assert.ok(err instanceof Problem);
    return [err.status, err.code, err.message, err.field];
  };
  assert.deepEqual(await failing(), [400, "bad_request", "This is not a name.", "name"]);
  assert.deepEqual(await failing(), [502, "unknown", "The server answered 502.", undefined]);
  assert.deepEqual(await failing(), [0, "network", "offline", undefined]);
});

test("each request is told of when it is sent and when it is over, without the token", async () => {
  const told: Exchange[] = [];
  const { api } = rest([json(200, { id: "a" }), new TypeError("offline")], told);
  await api.get("/v1/users/{user}", { path: { user: "a" } });
  await assert.rejects(api.get("/v1/users/{user}", { path: { user: "b" } }));
  assert.deepEqual(told.map(({ id, status, error }) => [id, status, error]), [[1, undefined, undefined], [1, 200, undefined], [2, undefined, undefined], [2, undefined, "offline"]]);
  assert.ok(!JSON.stringify(told).includes("pk_1"));
});
