/** The admin API answers with the rows it is given, in the form its OpenAPI document promises. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { API_ERRORS } from "@sluice/server/admin/api-error";
import { DEFAULT_ADMIN_LIMITS } from "@sluice/server/admin/limits";
import { Ajv2020 } from "ajv/dist/2020.js";
import {
  ENGINE,
  EVENTS,
  fakeAdmin,
  LINK,
  NODES,
  OBJECT,
  OPENED_OBJECT,
  SESSION,
  STREAM,
  WAITING,
  WRITTEN,
} from "./admin-fakes.ts";

const BALL = "/api/v1/objects/room/ball";

type Call = {
  readonly method: "GET" | "POST" | "DELETE" | "PUT" | "PATCH" | "HEAD";
  readonly url: string;
  readonly payload?: object;
};

/** A call, the documented path it belongs to, and what it must answer; `undefined` for no body, "error" for an error. */
const CALLS: readonly (readonly [Call, path: string, status: number, body: unknown])[] = [
  [
    { method: "GET", url: "/api/v1/streams" },
    "/api/v1/streams",
    200,
    { streams: [STREAM, WAITING], total: 2, silent: ["n3"] },
  ],
  [
    { method: "GET", url: "/api/v1/streams?limit=1&offset=1" },
    "/api/v1/streams",
    200,
    { streams: [WAITING], total: 2, silent: ["n3"] },
  ],
  [{ method: "GET", url: "/api/v1/streams/live/room/cam" }, "/api/v1/streams/{key}", 200, STREAM],
  [{ method: "GET", url: "/api/v1/streams/live/empty" }, "/api/v1/streams/{key}", 200, WAITING],
  [{ method: "GET", url: "/api/v1/streams/live/none" }, "/api/v1/streams/{key}", 404, "error"],
  [{ method: "GET", url: "/api/v1/sessions" }, "/api/v1/sessions", 200, { sessions: [SESSION], total: 1 }],
  [{ method: "GET", url: "/api/v1/sessions?key=live%2Fother" }, "/api/v1/sessions", 200, { sessions: [], total: 0 }],
  [{ method: "GET", url: "/api/v1/sessions?limit=0" }, "/api/v1/sessions", 400, "error"],
  [{ method: "GET", url: "/api/v1/sessions?offset=-1" }, "/api/v1/sessions", 400, "error"],
  [{ method: "GET", url: "/api/v1/sessions?limit=1&limit=2" }, "/api/v1/sessions", 400, "error"],
  [{ method: "DELETE", url: "/api/v1/sessions/s1?reason=bored" }, "/api/v1/sessions/{id}", 204, undefined],
  [{ method: "DELETE", url: "/api/v1/sessions/s2" }, "/api/v1/sessions/{id}", 404, "error"],
  [{ method: "DELETE", url: `/api/v1/sessions/s1?reason=${"x".repeat(201)}` }, "/api/v1/sessions/{id}", 400, "error"],
  [{ method: "GET", url: "/api/v1/nodes" }, "/api/v1/nodes", 200, NODES],
  [{ method: "GET", url: "/api/v1/links" }, "/api/v1/links", 200, { links: [LINK] }],
  [{ method: "POST", url: "/api/v1/nodes/n1/drain" }, "/api/v1/nodes/{id}/drain", 202, { id: "n1", state: "draining" }],
  [{ method: "POST", url: "/api/v1/nodes/n2/drain" }, "/api/v1/nodes/{id}/drain", 503, "error"],
  [{ method: "DELETE", url: "/api/v1/sessions/s1?node=n2" }, "/api/v1/sessions/{id}", 503, "error"],
  [{ method: "DELETE", url: "/api/v1/sessions/s1?node=n9" }, "/api/v1/sessions/{id}", 404, "error"],
  [{ method: "POST", url: "/api/v1/nodes/n9/drain" }, "/api/v1/nodes/{id}/drain", 404, "error"],
  [{ method: "GET", url: "/api/v1/cluster" }, "/api/v1/cluster", 200, ENGINE],
  [{ method: "DELETE", url: "/api/v1/cluster/members/n3" }, "/api/v1/cluster/members/{id}", 204, undefined],
  [{ method: "DELETE", url: "/api/v1/cluster/members/n1" }, "/api/v1/cluster/members/{id}", 409, "error"],
  [{ method: "DELETE", url: "/api/v1/cluster/members/n2" }, "/api/v1/cluster/members/{id}", 503, "error"],
  [
    { method: "POST", url: "/api/v1/cluster/members/n3/replace" },
    "/api/v1/cluster/members/{id}/replace",
    204,
    undefined,
  ],
  [{ method: "POST", url: "/api/v1/cluster/members/n1/replace" }, "/api/v1/cluster/members/{id}/replace", 409, "error"],
  [{ method: "POST", url: "/api/v1/test-patterns" }, "/api/v1/test-patterns", 201, { key: "demo/test-pattern" }],
  [
    { method: "POST", url: "/api/v1/test-patterns", payload: {} },
    "/api/v1/test-patterns",
    200,
    { key: "demo/test-pattern" },
  ],
  [
    { method: "POST", url: "/api/v1/test-patterns", payload: { key: "a/b" } },
    "/api/v1/test-patterns",
    201,
    { key: "a/b" },
  ],
  [
    { method: "POST", url: "/api/v1/test-patterns", payload: { key: "taken/b" } },
    "/api/v1/test-patterns",
    409,
    "error",
  ],
  [{ method: "POST", url: "/api/v1/test-patterns", payload: { key: 7 } }, "/api/v1/test-patterns", 400, "error"],
  [{ method: "POST", url: "/api/v1/test-patterns", payload: { kee: "a" } }, "/api/v1/test-patterns", 400, "error"],
  [
    { method: "GET", url: "/api/v1/test-patterns" },
    "/api/v1/test-patterns",
    200,
    { testPatterns: [{ key: "demo/test-pattern" }, { key: "a/b" }] },
  ],
  [{ method: "DELETE", url: "/api/v1/test-patterns/a/b" }, "/api/v1/test-patterns/{key}", 204, undefined],
  [{ method: "DELETE", url: "/api/v1/test-patterns/a/b" }, "/api/v1/test-patterns/{key}", 404, "error"],
  [
    { method: "POST", url: "/api/v1/previews", payload: { key: "live/cam" } },
    "/api/v1/previews",
    201,
    { key: "live/cam", token: "1.x", expires: "2026-11-21T10:00:00.000Z" },
  ],
  [{ method: "POST", url: "/api/v1/previews", payload: { key: "../cam" } }, "/api/v1/previews", 400, "error"],
  [{ method: "POST", url: "/api/v1/previews", payload: {} }, "/api/v1/previews", 400, "error"],
  [
    { method: "GET", url: "/api/v1/objects?after=a%2Fb&limit=10" },
    "/api/v1/objects",
    200,
    { objects: [OBJECT], total: 8, more: true, silent: ["n3"] },
  ],
  [{ method: "GET", url: "/api/v1/objects?limit=x" }, "/api/v1/objects", 400, "error"],
  [{ method: "GET", url: "/api/v1/objects/room/ball" }, "/api/v1/objects/{key}", 200, OPENED_OBJECT],
  [{ method: "GET", url: "/api/v1/objects/room/none" }, "/api/v1/objects/{key}", 404, "error"],
  [{ method: "PUT", url: `${BALL}?property=x`, payload: { a: [1] } }, "/api/v1/objects/{key}", 200, WRITTEN],
  [{ method: "PUT", url: `${BALL}?property=x&at=none`, payload: {} }, "/api/v1/objects/{key}", 409, "error"],
  [{ method: "PUT", url: `${BALL}?property=x` }, "/api/v1/objects/{key}", 400, "error"],
  [{ method: "PUT", url: BALL, payload: {} }, "/api/v1/objects/{key}", 400, "error"],
  [{ method: "PATCH", url: BALL, payload: { x: 1, gone: null } }, "/api/v1/objects/{key}", 200, WRITTEN],
  [{ method: "PATCH", url: BALL, payload: [1] }, "/api/v1/objects/{key}", 400, "error"],
  [{ method: "DELETE", url: `${BALL}?property=x` }, "/api/v1/objects/{key}", 200, WRITTEN],
  [{ method: "POST", url: `${BALL}/clear` }, "/api/v1/objects/{key}", 200, WRITTEN],
  [
    { method: "POST", url: `${BALL}/move`, payload: { node: "n2" } },
    "/api/v1/objects/{key}",
    200,
    { path: "room/ball", home: "n2" },
  ],
  [{ method: "POST", url: `${BALL}/move`, payload: { node: "n3" } }, "/api/v1/objects/{key}", 503, "error"],
  [{ method: "POST", url: `${BALL}/move` }, "/api/v1/objects/{key}", 400, "error"],
  [{ method: "POST", url: `${BALL}/drop` }, "/api/v1/objects/{key}", 404, "error"],
  [{ method: "DELETE", url: BALL }, "/api/v1/objects/{key}", 409, "error"],
  [{ method: "DELETE", url: "/api/v1/objects/room/old" }, "/api/v1/objects/{key}", 204, undefined],
  [{ method: "GET", url: "/healthz" }, "/healthz", 200, { status: "ok" }],
  [{ method: "GET", url: "/readyz" }, "/readyz", 200, { ready: true, reasons: [] }],
];

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Answer>> }>>>
  >;
  readonly components: object;
}
interface Answer {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function validatorOf(document: Document) {
  const ajv = new Ajv2020({ strict: false, formats: { "date-time": DATE_TIME } });
  ajv.addSchema({ $id: "doc", components: document.components });
  // Answers point at "#/components/…" of the document they stand in.
  return (schema: object) => ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')) as object);
}

test("[ADM1] every answer is the row it came from, and what the OpenAPI document promises", async () => {
  const { app, source } = fakeAdmin();
  const document = (await app.inject("/api/v1/openapi.json")).json<Document>();
  const validate = validatorOf(document);
  for (const [call, path, status, body] of CALLS) {
    const says = `${call.method} ${call.url}`;
    const answer = await app.inject({ ...call, headers: { host: "localhost" } });
    assert.equal(answer.statusCode, status, `${says}: ${answer.body}`);
    const promised = document.paths[path]?.[call.method.toLowerCase()]?.responses[status];
    assert.ok(promised, `${says}: ${status} is not in the document`);
    if (body === undefined) {
      assert.equal(answer.body, "", says);
      continue;
    }
    const check = validate(promised.content?.["application/json"]?.schema ?? assert.fail(says));
    assert.ok(check(answer.json()), `${says}: ${JSON.stringify(check.errors)}`);
    if (body !== "error") assert.deepEqual(answer.json(), body, says);
  }
  assert.deepEqual(source.kicked[0], { id: "s1", reason: "bored" });
});

test("[ADM342] a property is set to any JSON, several are changed as one, null removes; slashes of a path stay", async () => {
  const { app, source } = fakeAdmin();
  const json = { host: "localhost", "content-type": "application/json" };
  for (const value of ["null", "false", '"text"', "12.5", '{"$date":0}']) {
    const call = { method: "PUT", url: `${BALL}?property=a%2Fb&at=1.7/12`, payload: value, headers: json } as const;
    assert.equal((await app.inject(call)).statusCode, 200, value);
  }
  assert.deepEqual(
    source.written.map(([path, changes]) => [path, ...changes]),
    [null, false, "text", 12.5, { $date: 0 }].map((value) => [
      "room/ball",
      { type: "set", name: "a/b", value, at: "1.7/12" },
    ]),
  );
  source.written.length = 0;
  await app.inject({ method: "PATCH", url: "/api/v1/objects//room//ball/", payload: { x: 1, gone: null } });
  await app.inject({ method: "DELETE", url: `${BALL}?property=y&at=1.7/3` });
  await app.inject({ method: "POST", url: "/api/v1/objects/room/clear/move/clear" });
  assert.deepEqual(source.written, [
    [
      "room/ball",
      [
        { type: "set", name: "x", value: 1 },
        { type: "remove", name: "gone" },
      ],
    ],
    ["room/ball", [{ type: "remove", name: "y", at: "1.7/3" }]],
    ["room/clear/move", [{ type: "clear" }]],
  ]);
});

test("[ADM340] a page of objects is bounded whatever is asked", async () => {
  const { app, source } = fakeAdmin({ limits: { ...DEFAULT_ADMIN_LIMITS, objectRows: 5 } });
  for (const query of ["", "?limit=3&after=room/ball", "?limit=999999999"])
    assert.equal((await app.inject(`/api/v1/objects${query}`)).statusCode, 200);
  assert.deepEqual(source.listed, [
    { after: "", limit: 5 },
    { after: "room/ball", limit: 3 },
    { after: "", limit: 5 },
  ]);
});

test("[ADM1] the document's AdminEvent describes every event, and refuses what is none", async () => {
  const { app } = fakeAdmin();
  const check = validatorOf((await app.inject("/api/v1/openapi.json")).json<Document>())({
    $ref: "#/components/schemas/AdminEvent",
  });
  for (const event of EVENTS) assert.ok(check(event), `${event.type}: ${JSON.stringify(check.errors)}`);
  assert.equal(check({ ...EVENTS[0], type: "stream-lost" }), false);
  assert.equal(check({ ...EVENTS[0], extra: 1 }), false);
});

test("[ADM2] the document describes every route, and the table above calls every one but the streams", async () => {
  const { app } = fakeAdmin();
  const routes: string[] = [];
  app.addHook("onRoute", ({ method, url, schema }) => {
    if (schema?.response) routes.push(`${[method].flat().join()} ${url}`);
  });
  const document = (await app.inject("/api/v1/openapi.json")).json<Document>();
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const plain = routes
    .filter((route) => !route.startsWith("HEAD "))
    .map((route) => route.replace("/*", "/{key}").replace(":id", "{id}"));
  assert.deepEqual(documented.toSorted(), plain.toSorted());
  assert.ok(plain.length >= 13);
  const called = new Set(CALLS.map(([{ method }, path]) => `${method} ${path}`));
  const uncalled = documented.filter((route) => !called.has(route));
  assert.deepEqual(uncalled.toSorted(), ["GET /api/v1/events", "GET /api/v1/openapi.json", "GET /metrics"]);
});

test("[ADM213] lists are answered in pages, of a bounded number of rows whatever is asked", async () => {
  const { app, source } = fakeAdmin({ limits: { ...DEFAULT_ADMIN_LIMITS, listRows: 50 } });
  for (const query of ["", "?limit=7&offset=3", "?limit=51", "?limit=999999999"])
    assert.equal((await app.inject(`/api/v1/sessions${query}`)).statusCode, 200);
  assert.deepEqual(source.asked, [
    { limit: 50, offset: 0 },
    { limit: 7, offset: 3 },
    { limit: 50, offset: 0 },
    { limit: 50, offset: 0 },
  ]);
});

test("readiness answers 503 with its reasons", async () => {
  const { app, source } = fakeAdmin();
  source.ready = false;
  const answer = await app.inject("/readyz");
  assert.equal(answer.statusCode, 503);
  assert.deepEqual(answer.json(), { ready: false, reasons: ["draining"] });
});

test("[ADM3] a fault of the server is logged, and its caller learns nothing of it", async () => {
  const { app, source, errors } = fakeAdmin();
  source.fault = new Error("the secret is 4711");
  const answer = await app.inject("/api/v1/streams?token=hush");
  assert.equal(answer.statusCode, 500);
  assert.equal(answer.json().error.code, "ADMIN_INTERNAL");
  assert.doesNotMatch(answer.body, /4711|\.ts|\.js/);
  assert.deepEqual(errors, [{ err: source.fault, method: "GET", path: "/api/v1/streams" }]);
});

/** Calls that are refused, with the rule that says so and the code they hear. */
const REFUSED: readonly {
  readonly rule: string;
  readonly call: readonly [method: "GET" | "POST" | "DELETE", url: string];
  readonly type?: string;
  readonly body?: string;
  readonly code: keyof typeof API_ERRORS;
}[] = [
  { rule: "ADM4", call: ["GET", "/api/v1/nothing"], code: "ADMIN_NOT_FOUND" },
  { rule: "ADM4", call: ["GET", "/live/cam"], code: "ADMIN_NOT_FOUND" },
  { rule: "ADM4", call: ["POST", "/nothing"], type: "text/plain", body: "x", code: "ADMIN_NOT_FOUND" },
  { rule: "ADM3", call: ["GET", "/api/v1/streams/%zz"], code: "ADMIN_BAD_REQUEST" },
  { rule: "ADM3", call: ["DELETE", `/api/v1/sessions/${"x".repeat(600)}`], code: "ADMIN_BAD_REQUEST" },
  {
    rule: "ADM6",
    call: ["POST", "/api/v1/test-patterns"],
    type: "application/json",
    body: `{"key":"${"x".repeat(DEFAULT_ADMIN_LIMITS.bodyBytes)}"}`,
    code: "ADMIN_BODY_TOO_LARGE",
  },
  {
    rule: "ADM6",
    call: ["POST", "/api/v1/test-patterns"],
    type: "text/plain",
    body: `{"key":"a/b"}`,
    code: "ADMIN_NOT_JSON",
  },
  {
    rule: "ADM6",
    call: ["POST", "/api/v1/test-patterns"],
    type: "application/x-www-form-urlencoded",
    body: "key=a",
    code: "ADMIN_NOT_JSON",
  },
  { rule: "ADM6", call: ["POST", "/api/v1/nodes/n1/drain"], type: "text/plain", body: "x", code: "ADMIN_NOT_JSON" },
  {
    rule: "ADM6",
    call: ["POST", "/api/v1/test-patterns"],
    type: "application/json",
    body: "{",
    code: "ADMIN_BAD_REQUEST",
  },
  {
    rule: "ADM6",
    call: ["POST", "/api/v1/test-patterns"],
    type: "application/json",
    body: `{"__proto__":{"key":"a"}}`,
    code: "ADMIN_BAD_REQUEST",
  },
];

for (const { rule, call, type, body, code } of REFUSED) {
  const [method, url] = call;
  test(`[${rule}] ${method} ${url.slice(0, 40)} with ${type ?? "no body"} ${body?.slice(0, 12) ?? ""} is refused as ${code}`, async () => {
    const { app } = fakeAdmin();
    const headers = type === undefined ? {} : { "content-type": type };
    const answer = await app.inject({ method, url, headers, ...(body !== undefined && { payload: body }) });
    assert.equal(answer.statusCode, API_ERRORS[code], answer.body);
    assert.deepEqual(Object.keys(answer.json()), ["error"]);
    assert.deepEqual(Object.keys(answer.json().error), ["code", "message"]);
    assert.equal(answer.json().error.code, code);
  });
}

test("[ADM4] [ADM6] the codes of those answers are 404, 413, 415 and 400", () => {
  const { ADMIN_NOT_FOUND, ADMIN_BODY_TOO_LARGE, ADMIN_NOT_JSON, ADMIN_BAD_REQUEST } = API_ERRORS;
  assert.deepEqual([ADMIN_NOT_FOUND, ADMIN_BODY_TOO_LARGE, ADMIN_NOT_JSON, ADMIN_BAD_REQUEST], [404, 413, 415, 400]);
});

test("[ADM5] other methods of a known path answer 405 with Allow, whatever they carry", async () => {
  const { app } = fakeAdmin();
  const wrong = [
    ["POST", "/api/v1/streams", "GET, HEAD, OPTIONS"],
    ["DELETE", "/api/v1/streams/live/cam", "GET, HEAD, OPTIONS"],
    ["PUT", "/api/v1/sessions/s1", "DELETE, OPTIONS"],
    ["GET", "/api/v1/nodes/n1/drain", "POST, OPTIONS"],
    ["PATCH", "/api/v1/test-patterns", "GET, HEAD, POST, OPTIONS"],
    ["HEAD", "/api/v1/events", "GET, OPTIONS"],
    ["POST", "/metrics", "GET, HEAD, OPTIONS"],
    ["POST", "/healthz", "GET, HEAD, OPTIONS"],
    ["POST", "/console/", "GET, HEAD, OPTIONS"],
  ] as const;
  for (const [method, url, allow] of wrong) {
    const answer = await app.inject({
      method,
      url,
      payload: "x".repeat(100_000),
      headers: { "content-type": "text/plain" },
    });
    assert.equal(answer.statusCode, 405, `${method} ${url}`);
    assert.equal(answer.headers.allow, allow, `${method} ${url}`);
  }
});

test("[ADM7] a stream key keeps its slashes, escaped or not", async () => {
  const { app } = fakeAdmin();
  for (const path of ["live/room/cam", "live%2Froom%2fcam", "live/r%6fom/cam"]) {
    assert.equal((await app.inject(`/api/v1/streams/${path}`)).json().key, "live/room/cam", path);
  }
});

test("[ADM8] a test pattern starts once, is refused with the reason, and stops", async () => {
  const { app, source } = fakeAdmin();
  const start = async (key: string) => app.inject({ method: "POST", url: "/api/v1/test-patterns", payload: { key } });
  assert.deepEqual([(await start("x/y")).statusCode, (await start("x/y")).statusCode], [201, 200]);
  const refused = await start("taken/y");
  assert.equal(refused.json().error.code, "ADMIN_TEST_PATTERN_REFUSED");
  assert.match(refused.json().error.message, /it has a publisher/);
  await app.inject({ method: "POST", url: "/api/v1/test-patterns" });
  assert.deepEqual([...source.running], ["x/y", "demo/test-pattern"]);
});

test("metrics come as Prometheus text", async () => {
  const { app } = fakeAdmin();
  await app.inject("/healthz");
  const answer = await app.inject("/metrics");
  assert.equal(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  assert.match(answer.body, /^sluice_admin_requests_total\{status="2xx"\} 1$/m);
});
