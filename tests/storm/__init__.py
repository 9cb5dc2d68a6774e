"""The storm: clients that write everything down, processes that are killed and frozen, and a count of what is left.

`python -m tests.storm` (`make faults`) lets 50 clients report unlocks, one a request and in batches, steps, values and
scores, while web, live, relay, worker, beat, the sender of webhooks, Valkey, the broker and PostgreSQL are killed or
frozen by chance. Each client writes to its journal what it is about to send, and syncs it to the disk, before it sends.
Afterwards the journals are held against the database (`verdict.py`), in the words of Jepsen's checker of sets.

Source: Jepsen, `jepsen.checker/set` and `set-full`; ADR 0077.
"""
