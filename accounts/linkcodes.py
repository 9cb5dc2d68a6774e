"""Link codes: 8 signs of Crockford's base 32, shown as XXXX-XXXX. Pure but for chance and the instance's secret.

Source: https://www.crockford.com/base32.html: no I, L, O and U; what looks alike is read as the digit.
"""

import re
import secrets

from django.utils.crypto import salted_hmac

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8
_LOOK_ALIKES = str.maketrans("ILO", "110")
_FORM = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")
_LEFT_OUT = re.compile(r"[\s-]")


def new_code() -> str:
    """Return a new code, as it is stored hashed: 40 random bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(code: str) -> str:
    """Return a code as people read it."""
    return f"{code[:4]}-{code[4:]}"


def read(text: str) -> str | None:
    """Return the code that somebody typed, in any case, with or without dashes and spaces; None for what is none."""
    code = _LEFT_OUT.sub("", text).upper().translate(_LOOK_ALIKES)
    return code if _FORM.fullmatch(code) else None


def code_hash(code: str) -> bytes:
    """Return what is stored of a code: keyed, since all 40 bits could be tried against a plain hash."""
    return salted_hmac("accounts.linkcodes", code, algorithm="sha256").digest()
