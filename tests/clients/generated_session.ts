// A whole session by the generated client; compiled and run by test_sessions.py, beside the client.
import assert from "node:assert/strict";

import { laurel, type Shapes } from "./laurel-client/index.js";

const FOLLOWS_WITHIN_MS = 60_000, ASKED_FOR_MS = 60_000;
const { LAUREL_URL = "", LAUREL_KEY = "", GAME = "", PLAYER = "" } = process.env;

/** Return the answer, which is no refusal. */
function good<T>(called: { data?: T; error?: unknown }): T {
  assert.equal(called.error, undefined);
  assert(called.data !== undefined);
  return called.data;
}

const fetchOnce = globalThis.fetch;
/** Ask again while the platform has too much to do just now. */
globalThis.fetch = async (asked: RequestInfo | URL, options?: RequestInit): Promise<Response> => {
  for (const deadline = Date.now() + ASKED_FOR_MS; ;) {
    const answer = await fetchOnce(asked instanceof Request ? asked.clone() : asked, options);
    if (answer.status !== 503 || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
};

const server = laurel(LAUREL_URL, LAUREL_KEY);
const path = { player: PLAYER };

good(
  await server.PUT("/api/v1/players/{player}", {
    params: { path },
    body: { display_name: "Ada", visibility: "public" },
  }),
);
assert.equal(good(await server.GET("/api/v1", {})).version, "1");

const body = { game_id: GAME, player: PLAYER, achievement: "first-blood" };
const header = { "Idempotency-Key": crypto.randomUUID() };
const first = await server.POST("/api/v1/achievements/unlock", { params: { header }, body });
const replayed = await server.POST("/api/v1/achievements/unlock", { params: { header }, body });
assert.deepEqual([first.response.status, replayed.response.status], [202, 202]);
assert.equal(replayed.response.headers.get("Idempotent-Replayed"), "true");
const again: Shapes["UnlockOutput"] = good(await server.POST("/api/v1/achievements/unlock", { body }));
assert.equal(again.status, "already_unlocked");

const batch = good(
  await server.POST("/api/v1/achievements/unlock/batch", {
    body: {
      game_id: GAME,
      unlocks: ["first-blood", "no-such"].map((achievement) => ({ player: PLAYER, achievement })),
    },
  }),
);
assert.deepEqual([batch.unlocked, batch.already_unlocked, batch.rejected], [0, 1, 1]);

const refused = await server.POST("/api/v1/achievements/unlock", { body: { ...body, achievement: "no-such" } });
assert(refused.error);
assert.equal(refused.error.status, 404);

const progress = { ...body, achievement: "wanderer", steps: 7 };
assert.equal(good(await server.POST("/api/v1/achievements/progress", { body: progress })).current, 7);

good(
  await server.POST("/api/v1/stats/report", {
    body: { game_id: GAME, player: PLAYER, event_id: crypto.randomUUID(), stats: { distance: { add: 2.5 } } },
  }),
);
good(
  await server.POST("/api/v1/leaderboards/{game_id}/{board}/scores", {
    params: { path: { game_id: GAME, board: "best-lap" } },
    body: { player: PLAYER, score: 81.25 },
  }),
);
const ask = () =>
  server.GET("/api/v1/leaderboards/{game_id}/{board}/players/{player}", {
    params: { path: { game_id: GAME, board: "best-lap", player: PLAYER } },
  });
let rank = await ask();
for (const deadline = Date.now() + FOLLOWS_WITHIN_MS; rank.error && Date.now() < deadline; rank = await ask()) {
  await new Promise((resolve) => setTimeout(resolve, 100)); // ranks follow, within a second as a rule
}
assert.equal(good(rank).score, 81.25);

const listed = good(
  await server.GET("/api/v1/players/{player}/achievements", { params: { path, query: { game_id: GAME } } }),
);
assert.deepEqual(
  listed.results.map(({ key, unlocked }) => [key, unlocked]),
  [
    ["first-blood", true],
    ["wanderer", false],
  ],
);
assert.equal(good(await server.GET("/api/v1/players/{player}/dashboard", { params: { path } })).totals.games, 1);

const { token } = good(
  await server.POST("/api/v1/players/{player}/token", { params: { path }, body: { game_id: GAME } }),
);
const device = laurel(LAUREL_URL, token);
const me = { params: { path: { player: "me" } } };
assert.equal(good(await device.GET("/api/v1/players/{player}", me)).display_name, "Ada");
assert(good(await device.GET("/api/v1/players/{player}/notifications", me)).results);
console.log("Played.");
