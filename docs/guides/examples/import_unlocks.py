"""Send unlocks from a file: LAUREL_KEY=lrl_sk_… GAME=… python import_unlocks.py unlocks.csv

The file has a header line and the columns player, achievement, unlocked_at (2024-05-01T18:30:00Z; empty: now).
What was sent changes nothing when it is sent again: after an interruption, start it anew.
"""

import csv
import json
import os
import sys
import time
import urllib.error
import urllib.request

URL = os.environ.get("LAUREL_URL", "http://127.0.0.1:8000") + "/api/v1/achievements/unlock/batch"
KEY, GAME = os.environ["LAUREL_KEY"], os.environ["GAME"]
AT_ONCE, LONGEST_WAIT_S = 1000, 60


def send(unlocks):
    """Send a batch until it is taken."""
    body = json.dumps({"game_id": GAME, "unlocks": unlocks}).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    wait_s = 1
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(URL, body, headers), timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            if refused.code < 500 and refused.code != 429:
                sys.exit(refused.read().decode())
            pause_s = int(refused.headers.get("Retry-After", wait_s))
        except OSError:
            pause_s = wait_s
        time.sleep(pause_s)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)


with open(sys.argv[1], newline="", encoding="utf-8") as file:
    rows = [{name: value for name, value in row.items() if value} for row in csv.DictReader(file)]
new = known = rejected = 0
for start in range(0, len(rows), AT_ONCE):
    answer = send(rows[start : start + AT_ONCE])
    new, known = new + answer["unlocked"], known + answer["already_unlocked"]
    for row, result in zip(rows[start:], answer["results"]):
        if result["status"] == "rejected":
            rejected += 1
            print("Rejected:", row, result["problem"]["detail"], file=sys.stderr)
print(f"{new:,} unlocks are new, {known:,} were known already, {rejected:,} were rejected.")
sys.exit(1 if rejected else 0)
