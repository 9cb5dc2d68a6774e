#!/bin/sh
# A session of a player, from a game's server: LAUREL_KEY=lrl_sk_… GAME=… PLAYER=p-1 sh session.sh
# PLAYER is of letters, digits, - and _ here; whatever else it may be has to be escaped in JSON and in paths.
set -eu
: "${LAUREL_KEY:?}" "${GAME:?}" "${PLAYER:?}"
URL="${LAUREL_URL:-http://127.0.0.1:8000}/api/v1"

work=$(mktemp -d)
listener=
trap 'kill $listener 2>/dev/null; rm -rf "$work"' EXIT
# In files that nobody else reads, since everybody on this machine sees a command's arguments.
bearer() { printf 'header = "Authorization: Bearer %s"\n' "$1"; }
(umask 077 && bearer "$LAUREL_KEY" >"$work/server")

new_id() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n' |
    sed 's/\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.*\)/\1-\2-4\3-8\4-\5/'
}

# call PATH [BODY]: the same Idempotency-Key goes with each attempt, so it is done once however often it is sent.
call() {
  set -- "$1" ${2:+--header "Content-Type: application/json" \
    --header "Idempotency-Key: $(new_id)" --data "$2"}
  path=$1
  shift
  for wait_s in 1 2 4 8 16 32 60; do
    rm -f "$work/head"
    # 000 where no answer came: it may be stored or not, and the next attempt finds out.
    status=$(curl --silent --max-time 10 --config "$work/server" "$@" --dump-header "$work/head" \
      --output "$work/answer" --write-out '%{http_code}' "$URL$path") || status=000
    case $status in 2*) cat "$work/answer" && return ;; esac
    # 429: too often. 503: not now. 409 with Retry-After: the attempt before is still under way.
    retry_after=$(tr -d '\r' <"$work/head" 2>/dev/null | sed -n 's/^[Rr]etry-[Aa]fter: *//p') || retry_after=
    case $status in 4*) [ -n "$retry_after" ] || { cat "$work/answer" >&2 && exit 1; } ;; esac
    sleep "${retry_after:-$wait_s}"
  done
  echo "$path failed seven times: keep it, and send it later." >&2
  exit 1
}

# One text of an answer: enough for this, and jq for the rest.
value() { printf %s "$answer" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# What the player's device would do: listen with a token of its own.
answer=$(call "/players/$PLAYER/token" "{\"game_id\": \"$GAME\"}")
(umask 077 && bearer "$(value token)" >"$work/player")
answer=$(call "")
curl --silent --no-buffer --max-time 60 --config "$work/player" "$(value events)" >"$work/heard" &
listener=$!
until grep -q '^: ready' "$work/heard" 2>/dev/null; do
  kill -0 $listener
  sleep 0.1
done

about="\"game_id\": \"$GAME\", \"player\": \"$PLAYER\""
answer=$(call /achievements/unlock "{$about, \"achievement\": \"first-blood\"}")
echo "Unlock: $answer"
answer=$(call /achievements/progress "{$about, \"achievement\": \"wanderer\", \"steps\": 7}")
echo "Progress: $answer"
answer=$(call /stats/report "{$about, \"event_id\": \"$(new_id)\", \"stats\": {\"distance\": {\"add\": 2.5}}}")
echo "Stat: $answer"
answer=$(call "/leaderboards/$GAME/best-lap/scores" "{\"player\": \"$PLAYER\", \"score\": 81.25}")
echo "Score: $answer"

# It comes within a second, unless the player had this achievement already: then nothing is told anew.
until grep -q '^data: .*"achievement.unlocked"' "$work/heard"; do
  kill -0 $listener
  sleep 0.1
done
echo "Heard: $(sed -n '/"achievement.unlocked"/s/^data: //p' "$work/heard")"
answer=$(call "/players/$PLAYER/dashboard")
echo "Dashboard: $answer"
