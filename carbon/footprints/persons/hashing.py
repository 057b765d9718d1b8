"""How a person becomes a hash that nobody can turn back without the platform's salt.

Knows HMAC-SHA256 and how long a salt must be. Must not know where salts are kept: never in the database. No message
holds an id or a salt.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from carbon.errors import CarbonError

__all__ = ["LONGEST_ID", "BadSalt", "Salts", "claim_hashes", "is_id", "person_hash", "person_hashes", "salt_checks"]

SHORTEST_SALT: Final = 32
LONGEST_ID: Final = 200


class BadSalt(CarbonError):
    """A salt is too short to keep a secret, or both are the same."""


@dataclass(frozen=True, slots=True)
class Salts:
    """The two secrets: person, of one platform; claims, of this registry, the same for all platforms so that the same
    trip claimed through two of them is seen. Each at least 32 bytes. Never printed, stored or logged.
    """

    person: bytes = field(repr=False)
    claims: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raises BadSalt."""
        if min(len(self.person), len(self.claims)) < SHORTEST_SALT:
            raise BadSalt(f"found a salt of fewer than {SHORTEST_SALT} bytes, expected {SHORTEST_SALT} or more")
        if self.person == self.claims:
            raise BadSalt("found one salt for persons and claims, expected two")


def is_id(text: str | None) -> bool:
    """Whether a text may stand for a person or a claim: 1 to 200 printable characters, no blanks at its ends."""
    return text is not None and 0 < len(text) <= LONGEST_ID and text == text.strip() and text.isprintable()


def person_hash(salts: Salts, platform: str, person: str) -> str:
    """HMAC-SHA256 of a platform's id of a person, in hexadecimal."""
    return _digest(salts.person, f"person\0{platform}\0{person}")


def person_hashes(salts: Salts, platform: str, persons: Iterable[str]) -> dict[str, str]:
    """The hash of each person."""
    return {person: person_hash(salts, platform, person) for person in persons}


def claim_hashes(salts: Salts, claims: Iterable[str]) -> dict[str, str]:
    """The hash of each claim, the same whichever platform makes it."""
    return {claim: _digest(salts.claims, f"claim\0{claim}") for claim in claims}


def salt_checks(salts: Salts) -> tuple[str, str]:
    """What proves later that both salts are still the same: a hash of each under itself."""
    return _digest(salts.person, "check\0person"), _digest(salts.claims, "check\0claims")


def _digest(salt: bytes, message: str) -> str:
    return hmac.new(salt, message.encode(errors="surrogatepass"), sha256).hexdigest()
