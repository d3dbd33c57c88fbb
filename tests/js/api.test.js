import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../../app/static/js/api.js";

const answering = (status, body, calls = []) => ({
  calls,
  fetch: async (url, options) => {
    calls.push({ url, ...options });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  },
});

test("a call carries the page's token where it changes something, and gives the data", async () => {
  const { fetch, calls } = answering(200, { success: true, data: { id: 1 } });
  const api = new Api({ csrfToken: "csrf", fetch });
  assert.deepEqual(await api.post("/api/x", { a: 1 }), { id: 1 });
  assert.equal(calls[0].headers["X-CSRF-Token"], "csrf");
  assert.equal(calls[0].body, '{"a":1}');
  await api.get("/api/x", { cursor: "a b", limit: 5, q: "" });
  assert.equal(calls[1].url, "/api/x?cursor=a+b&limit=5");
  assert.equal(calls[1].headers["X-CSRF-Token"], undefined);
});

test("a bearer token goes alone, without the cookie", async () => {
  const { fetch, calls } = answering(200, { success: true, data: {} });
  await new Api({ token: "t", csrfToken: "csrf", fetch }).delete("/api/x");
  assert.equal(calls[0].headers.Authorization, "Bearer t");
  assert.equal(calls[0].credentials, "omit");
});

test("a refusal names its fields", async () => {
  const error = { code: "invalid", message: "Invalid.", fields: { slug: ["is taken"], clientMessageId: ["Used before."] }, temporary: false };
  const failure = await new Api(answering(422, { success: false, error })).post("/api/x").catch((one) => one);
  assert.equal(failure.sentence("slug"), "Slug is taken.");
  assert.equal(failure.sentence("clientMessageId"), "Used before.");
  assert.equal(failure.sentence("title"), "Invalid.");
});

test("an answer that is not the contract's, and none at all, are told apart", async () => {
  await assert.rejects(new Api(answering(502, "<html>")).get("/"), { code: "internal", temporary: true });
  const cut = async () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(new Api({ fetch: cut }).get("/"), { code: "unanswered", temporary: true });
});
