from argparse import ArgumentTypeError
from collections import defaultdict
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import selectors
from core.audit import verifying
from core.audit.verifying import Verdict

Expected = tuple[UUID, int, bytes]
HASH_BYTES = 32


def expected(text: str) -> Expected:
    """Read `STUDIO:NUMBER:HASH`."""
    studio, _, rest = text.partition(":")
    number, _, hashed = rest.partition(":")
    try:
        read = UUID(studio), int(number), bytes.fromhex(hashed)
    except ValueError:
        raise ArgumentTypeError("give STUDIO:NUMBER:HASH, as the audit log's page shows them") from None
    if read[1] < 1 or len(read[2]) != HASH_BYTES:
        raise ArgumentTypeError("a NUMBER is 1 or more, and a HASH has 64 digits")
    return read


class Command(BaseCommand):
    """Verifies the audit log."""

    help = (
        "Verify the audit log's chains: name the first entry of each studio that was removed, changed, moved or put in."
        " The end of a chain proves itself by a hash that you noted earlier: give it with --expect."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which studio, and what was noted."""
        parser.add_argument("--studio", metavar="UUID", type=UUID, help="only this studio")
        parser.add_argument(
            "--expect",
            metavar="STUDIO:NUMBER:HASH",
            type=expected,
            action="append",
            default=[],
            help="an entry's number and hash, as the page or a CSV file showed them; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each studio; fail if one of them has a fault."""
        noted: defaultdict[UUID, dict[int, bytes]] = defaultdict(dict)
        for studio, number, hashed in options["expect"]:
            noted[studio][number] = hashed
        only = options["studio"]
        ids = selectors.studio_pks({*noted, only} - {None})
        if unknown := ({*noted, only} - {None}) - ids.keys():
            raise CommandError(f"There is no studio {min(unknown)}.")
        uuids = {pk: uuid for uuid, pk in ids.items()}
        wanted = [ids[only]] if only else sorted({*verifying.studio_ids(), *uuids})
        faults = 0
        for pk in wanted:
            verdict = verifying.verify(pk, expected=noted.get(uuids[pk]) if pk in uuids else None)
            self._tell(str(uuids.get(pk) or selectors.studio_uuid(pk) or f"(deleted) {pk}"), verdict)
            faults += bool(verdict.fault)
        if faults:
            raise CommandError(
                f"The audit log of {faults} of {len(wanted)} studios has a fault. If the secret was changed,"
                " what the older one sealed looks the same: name both in AUDIT_SECRETS=newer,older and verify again."
            )
        self.stdout.write(f"The audit log of {len(wanted)} studios holds.")

    def _tell(self, studio: str, verdict: Verdict) -> None:
        if verdict.fault:
            self.stdout.write(f"{studio}  FAULT: {verdict.fault}")
            return
        end = verdict.end
        sealed = (
            f"{end.number:,} entries, the last {end.number}:{end.hash.hex()}" if end else "nothing sealed"
        )
        self.stdout.write(
            f"{studio}  {sealed}; {verdict.waiting:,} wait for their seal, {verdict.erased:,} erased"
        )
