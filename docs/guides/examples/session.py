"""A session of a player, from a game's server: LAUREL_KEY=lrl_sk_… GAME=… PLAYER=p-1 python session.py"""

import json
import os
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

URL = os.environ.get("LAUREL_URL", "http://127.0.0.1:8000") + "/api/v1"
KEY, GAME, PLAYER = (os.environ[name] for name in ("LAUREL_KEY", "GAME", "PLAYER"))
TRIES, LONGEST_WAIT_S = 8, 60


def call(method, path, body=None):
    """Return the answer. The same Idempotency-Key goes with each attempt: it is done once however often it is sent."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    if method == "POST":
        headers["Idempotency-Key"] = str(uuid.uuid4())
    data = None if body is None else json.dumps(body).encode()
    for attempt in range(TRIES):
        wait_s = min(2**attempt, LONGEST_WAIT_S) * random.uniform(0.5, 1)
        try:
            request = urllib.request.Request(URL + path, data, headers, method=method)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            # 429: too often. 503: not now. 409 with Retry-After: the attempt before is still under way.
            retry_after = refused.headers.get("Retry-After")
            if retry_after is None and refused.code < 500:
                raise RuntimeError(refused.read().decode()) from None
            if retry_after is not None:
                wait_s = min(int(retry_after), LONGEST_WAIT_S) + random.uniform(0, 1)
        except OSError:
            pass  # no answer: it may be stored or not, and the next attempt finds out
        time.sleep(wait_s)
    raise RuntimeError(f"{method} {path} failed {TRIES} times: keep it, and send it later.")


def listen(address, token):
    """Yield a player's events, after None once they are sure to come. Reconnect with Last-Event-ID where it ends."""
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as stream:
        for line in stream:
            if line.startswith(b": ready"):
                yield None
            elif line.startswith(b"data: "):
                yield json.loads(line[6:])


player = urllib.parse.quote(PLAYER, safe="")
about = {"game_id": GAME, "player": PLAYER}

# What the player's device would do: listen with a token of its own.
token = call("POST", f"/players/{player}/token", {"game_id": GAME})["token"]
events = listen(call("GET", "")["live"]["events"], token)
next(events)

print("Unlock:", call("POST", "/achievements/unlock", about | {"achievement": "first-blood"}))
print("Progress:", call("POST", "/achievements/progress", about | {"achievement": "wanderer", "steps": 7}))
report = {
    "event_id": str(uuid.uuid4()),
    "stats": {"distance": {"add": 2.5}},
}  # what adds has an id, and adds once
print("Stat:", call("POST", "/stats/report", about | report))
print("Score:", call("POST", f"/leaderboards/{GAME}/best-lap/scores", {"player": PLAYER, "score": 81.25}))

# It comes within a second, unless the player had this achievement already: then nothing is told anew.
for event in events:
    if event.get("type") == "achievement.unlocked":
        print("Heard:", event["data"]["achievement"]["name"], event["data"]["totals"])
        break
print("Dashboard:", call("GET", f"/players/{player}/dashboard")["totals"])
