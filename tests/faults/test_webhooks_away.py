"""Webhooks arrive, whatever of the platform is killed or frozen meanwhile, and each under one id."""

import json
import signal
import threading
import time

from tests.platform import Platform, wait_for
from tests.webhooks.servers import receiver

UNLOCKS = 150
WITHIN_S = 300.0  # what a sender had taken when it was killed is due again after half a minute


def test_every_message_arrives_under_one_id_while_its_sender_dies(platform: Platform) -> None:
    client = platform.client()
    with receiver(port=platform.hook_port) as server:
        url = f"http://127.0.0.1:{platform.hook_port}/"
        made = client.post("/webhooks", {"url": url, "events": ["achievement.unlocked"]})
        assert made.status == 201, made
        sending = threading.Thread(target=_unlock, args=(platform,))
        sending.start()
        for name in ("send_webhooks", "worker", "send_webhooks", "valkey", "send_webhooks"):
            time.sleep(0.4)
            platform.kill(name)
            platform.start_again(name)
        sending.join()
        platform.process("send_webhooks").freeze()
        time.sleep(1)
        platform.process("send_webhooks").thaw()

        def told() -> dict[tuple[str, str], set[str]]:
            found: dict[tuple[str, str], set[str]] = {}
            for heard in list(server.heard):
                data = json.loads(heard.body)["data"]
                about = data["player"]["external_id"], data["achievement"]["key"]
                found.setdefault(about, set()).add(heard.headers["webhook-id"])
            return found

        wait_for(lambda: len(told()) == UNLOCKS, what="every webhook", within_s=WITHIN_S)
        assert all(len(ids) == 1 for ids in told().values())
        # Those of an endpoint that another test has closed since are parked.
        states = """
            SELECT d.state, count(*) FROM webhooks_delivery d JOIN webhooks_endpoint e ON e.id = d.endpoint_id
             WHERE e.uuid = %s GROUP BY 1
        """
        wait_for(
            lambda: platform.rows(states, (made.body["id"],)) == [("succeeded", UNLOCKS)],
            what="every delivery to be noted",
            within_s=WITHIN_S,
        )
    # A new connection: the web server has closed the one that was idle for so long.
    assert platform.client().patch(f"/webhooks/{made.body['id']}", {"enabled": False}).status == 200


def test_a_sender_that_is_told_to_stop_loses_and_doubles_nothing(platform: Platform) -> None:
    process = platform.process("send_webhooks")
    process.kill(signal.SIGTERM)
    wait_for(lambda: not process.alive, what="the sender to end")
    assert process.exit_code == 0
    platform.start_again("send_webhooks")


def _unlock(platform: Platform) -> None:
    client = platform.client()
    for number in range(UNLOCKS):
        client.unlock_until_stored(f"hooked-{number % 3}", f"a{number // 3}")
        time.sleep(0.01)
