// A session of a player, from a game's server: LAUREL_KEY=lrl_sk_… GAME=… PLAYER=p-1 node session.ts   (Node ≥ 22.18)

const URL_OF_API = `${process.env.LAUREL_URL ?? "http://127.0.0.1:8000"}/api/v1`;
const { LAUREL_KEY, GAME, PLAYER } = process.env;
if (!LAUREL_KEY || !GAME || !PLAYER) throw new Error("Set LAUREL_KEY, GAME and PLAYER.");
const TRIES = 8;
const LONGEST_WAIT_S = 60;

type Json = Record<string, any>;

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Return the answer. The same Idempotency-Key goes with each attempt: it is done once however often it is sent. */
async function call(method: "GET" | "POST", path: string, body?: Json): Promise<Json> {
  const headers: Record<string, string> = {
    Authorization: `Bearer ${LAUREL_KEY}`,
    "Content-Type": "application/json",
  };
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID();
  for (let attempt = 0; attempt < TRIES; attempt++) {
    let wait = Math.min(2 ** attempt, LONGEST_WAIT_S) * (0.5 + Math.random() / 2);
    let answer: Response | undefined;
    try {
      answer = await fetch(URL_OF_API + path, {
        method,
        headers,
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      });
      if (answer.ok) return await answer.json();
    } catch {
      answer = undefined; // it may be stored or not, and the next attempt finds out
    }
    if (answer) {
      // 429: too often. 503: not now. 409 with Retry-After: the attempt before is still under way.
      const retryAfter = answer.headers.get("Retry-After");
      if (retryAfter === null && answer.status < 500) throw new Error(await answer.text());
      if (retryAfter !== null) wait = Math.min(Number(retryAfter), LONGEST_WAIT_S) + Math.random();
    }
    await sleep(wait);
  }
  throw new Error(`${method} ${path} failed ${TRIES} times: keep it, and send it later.`);
}

/** Connect as the player's device would; resolve once every event is sure to be heard. */
function listen(address: string, token: string, hear: (event: Json) => void): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address, "laurel.v1");
    socket.onopen = () => socket.send(JSON.stringify({ type: "authenticate", token }));
    socket.onmessage = ({ data }) => {
      const message: Json = JSON.parse(data);
      if (message.type === "ready") resolve(socket);
      else if (message.type === "ping") socket.send(JSON.stringify({ type: "pong" }));
      else hear(message);
    };
    // A game connects again after some seconds, and sends {"type": "resume", "after": <id of the last event>}.
    socket.onclose = ({ code, reason }) => reject(new Error(`Closed: ${code} ${reason}`));
  });
}

const player = encodeURIComponent(PLAYER);
const about = { game_id: GAME, player: PLAYER };

const { token } = await call("POST", `/players/${player}/token`, { game_id: GAME });
const { live } = await call("GET", "");
let unlocked: (event: Json) => void;
const heard = new Promise<Json>((resolve) => (unlocked = resolve));
const socket = await listen(live.websocket, token, (event) => {
  if (event.type === "achievement.unlocked") unlocked(event);
});

console.log("Unlock:", await call("POST", "/achievements/unlock", { ...about, achievement: "first-blood" }));
console.log("Progress:", await call("POST", "/achievements/progress", { ...about, achievement: "wanderer", steps: 7 }));
const report = { event_id: crypto.randomUUID(), stats: { distance: { add: 2.5 } } }; // what adds has an id, and adds once
console.log("Stat:", await call("POST", "/stats/report", { ...about, ...report }));
console.log("Score:", await call("POST", `/leaderboards/${GAME}/best-lap/scores`, { player: PLAYER, score: 81.25 }));

// It comes within a second, unless the player had this achievement already: then nothing is told anew.
const { data } = await heard;
console.log("Heard:", data.achievement.name, data.totals);
console.log("Dashboard:", (await call("GET", `/players/${player}/dashboard`)).totals);
socket.close();

export {};
