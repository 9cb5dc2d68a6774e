# A session of a player, from a game's server, in Godot 4:
# LAUREL_KEY=lrl_sk_… GAME=… PLAYER=p-1 godot --headless --script session.gd
extends SceneTree

const TRIES := 8
const LONGEST_WAIT_S := 60.0

var api := _setting("LAUREL_URL", "http://127.0.0.1:8000") + "/api/v1"
var key := _setting("LAUREL_KEY")
var game := _setting("GAME")
var player := _setting("PLAYER")
var socket := WebSocketPeer.new()


func _initialize() -> void:
	_play()


func _play() -> void:
	await process_frame  # from here on a request can be added to the tree
	var path := "/players/" + player.uri_encode()
	var about := {"game_id": game, "player": player}

	# What the player's device would do: listen with a token of its own.
	var token: String = (await post(path + "/token", {"game_id": game}))["token"]
	if not await listen((await fetch(""))["live"]["websocket"], token):
		return

	print("Unlock: ", await post("/achievements/unlock", _with(about, {"achievement": "first-blood"})))
	print("Progress: ", await post("/achievements/progress", _with(about, {"achievement": "wanderer", "steps": 7})))
	var report := {"event_id": _new_id(), "stats": {"distance": {"add": 2.5}}}  # what adds has an id, and adds once
	print("Stat: ", await post("/stats/report", _with(about, report)))
	print("Score: ", await post("/leaderboards/%s/best-lap/scores" % game, {"player": player, "score": 81.25}))

	# It comes within a second, unless the player had this achievement already: then nothing is told anew.
	var heard := await hear("achievement.unlocked")
	if heard.is_empty():
		return
	print("Heard: ", heard["data"]["achievement"]["name"], " ", heard["data"]["totals"])
	print("Dashboard: ", (await fetch(path + "/dashboard"))["totals"])
	socket.close()
	quit()


func fetch(path: String) -> Dictionary:
	return await call_api(HTTPClient.METHOD_GET, path, "", [])


## The same Idempotency-Key goes with each attempt: it is done once however often it is sent.
func post(path: String, body: Dictionary) -> Dictionary:
	return await call_api(HTTPClient.METHOD_POST, path, JSON.stringify(body), ["Idempotency-Key: " + _new_id()])


## Return the answer; an empty one where it is refused or came to nothing, with an error.
func call_api(method: HTTPClient.Method, path: String, body: String, more: Array) -> Dictionary:
	var headers := PackedStringArray(["Authorization: Bearer " + key, "Content-Type: application/json"] + more)
	for attempt in TRIES:
		var request := HTTPRequest.new()
		request.timeout = 10.0
		root.add_child(request)
		var wait_s := minf(2.0 ** attempt, LONGEST_WAIT_S) * randf_range(0.5, 1.0)
		if request.request(api + path, headers, method, body) == OK:
			var answer: Array = await request.request_completed
			var status: int = answer[1]  # 0: no answer; it may be stored or not, and the next attempt finds out
			var text: String = answer[3].get_string_from_utf8()
			# 429: too often. 503: not now. 409 with Retry-After: the attempt before is still under way.
			var retry_after := _retry_after_s(answer[2])
			if status >= 200 and status < 300:
				request.queue_free()
				return JSON.parse_string(text)
			if status >= 400 and status < 500 and retry_after < 0:
				request.queue_free()
				_give_up(text)
				return {}
			if retry_after >= 0:
				wait_s = minf(retry_after, LONGEST_WAIT_S) + randf()
		request.queue_free()
		await create_timer(wait_s).timeout
	_give_up("%s failed %d times: keep it, and send it later." % [path, TRIES])
	return {}


## Connect; afterwards every event is sure to be heard. A game connects again after some seconds where it ends,
## and sends {"type": "resume", "after": <id of the last event>}.
func listen(address: String, token: String) -> bool:
	socket.supported_protocols = PackedStringArray(["laurel.v1"])
	socket.connect_to_url(address)
	while socket.get_ready_state() != WebSocketPeer.STATE_OPEN:
		socket.poll()
		if socket.get_ready_state() == WebSocketPeer.STATE_CLOSED:
			_give_up("No connection to " + address)
			return false
		await process_frame
	socket.send_text(JSON.stringify({"type": "authenticate", "token": token}))
	return not (await hear("ready")).is_empty()


## Return the next message of a type.
func hear(type: String) -> Dictionary:
	while true:
		socket.poll()
		while socket.get_available_packet_count() > 0:
			var message: Dictionary = JSON.parse_string(socket.get_packet().get_string_from_utf8())
			if message["type"] == type:
				return message
			if message["type"] == "ping":
				socket.send_text(JSON.stringify({"type": "pong"}))
		if socket.get_ready_state() == WebSocketPeer.STATE_CLOSED:
			_give_up("Closed: %d %s" % [socket.get_close_code(), socket.get_close_reason()])
			return {}
		await process_frame
	return {}


## Return a UUID of version 4.
func _new_id() -> String:
	var bytes := Crypto.new().generate_random_bytes(16)
	bytes[6] = (bytes[6] & 0x0f) | 0x40
	bytes[8] = (bytes[8] & 0x3f) | 0x80
	var digits := bytes.hex_encode()
	return "-".join([
		digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 4), digits.substr(16, 4), digits.substr(20)
	])


func _retry_after_s(headers: PackedStringArray) -> float:
	for header in headers:
		if header.to_lower().begins_with("retry-after:"):
			return header.get_slice(":", 1).to_float()
	return -1.0


func _with(about: Dictionary, more: Dictionary) -> Dictionary:
	var whole := about.duplicate()
	whole.merge(more)
	return whole


func _give_up(why: String) -> void:
	push_error(why)
	quit(1)


static func _setting(name: String, otherwise := "") -> String:
	return OS.get_environment(name) if OS.has_environment(name) else otherwise
