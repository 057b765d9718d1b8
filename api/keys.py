"""Keys of the API: who may write, and who may see persons' names.

Knows how a key is made, kept and recognised. Must not know HTTP. A key is 256 random bits, shown once when it is made;
only its SHA-256 is kept, so that whoever reads the database cannot use it. Names are never used twice, since the
ledger's log names them as actors for ever.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Engine, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "PREFIX",
    "ROLES",
    "ApiKey",
    "BadKeyName",
    "KeyMissing",
    "KeyProblem",
    "KeyTooWeak",
    "KeyUnknown",
    "UnknownKeyName",
    "create_key",
    "find_key",
    "list_keys",
    "revoke_key",
]

PREFIX: Final = "gfk_"
ROLES: Final = ("read", "write")
_RANDOM_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
# Names under which the software itself acts.
_OWN_NAMES: Final = ("greenfin", "cli")


class KeyProblem(Exception):
    """Base of what can be wrong with a key that a request brings or lacks."""


class KeyMissing(KeyProblem):
    """No key was given where one is needed."""


class KeyUnknown(KeyProblem):
    """The key given is not known, or was revoked."""


class KeyTooWeak(KeyProblem):
    """The key is known but lacks the role that is needed."""


class BadKeyName(ValueError):
    """A key of this name or with these roles cannot be made."""


class UnknownKeyName(LookupError):
    """No key has this name."""


class ApiKey(SQLModel, table=True):
    """One key. roles : with spaces between; `read` sees persons' names, `write` acts and sees them too.

    created_at_us, revoked_at_us : microseconds since 1970 UTC; revoked_at_us is null as long as the key is good
    """

    __tablename__ = "api_key"

    name: str = Field(primary_key=True)
    sha256: str = Field(unique=True)
    roles: str
    created_at_us: int = Field(sa_type=BigInteger)
    revoked_at_us: int | None = Field(default=None, sa_type=BigInteger)


def create_key(engine: Engine, name: str, at_us: int, roles: Sequence[str] = ("write",)) -> str:
    """Make a key and return it: the only time that it can be seen.

    name : 1 to 64 letters, digits and . _ @ -, never used before; the ledger's log names it as the actor
    Raises BadKeyName.
    """
    if name.lower() in _OWN_NAMES:
        raise BadKeyName(f"found the name {name!r}, under which the software itself acts; expected another one")
    if not _NAME.fullmatch(name):
        raise BadKeyName(f"found the name {name[:80]!r}, expected 1 to 64 letters, digits and . _ @ -")
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise BadKeyName(f"found the roles {', '.join(roles) or 'none'}; known: {', '.join(ROLES)}")
    secret = PREFIX + token_urlsafe(_RANDOM_BYTES)
    row = ApiKey(name=name, sha256=_digest(secret), roles=" ".join(sorted(set(roles))), created_at_us=at_us)
    try:
        with Session(engine) as session:
            session.add(row)
            session.commit()
    except IntegrityError:
        raise BadKeyName(
            f"found the name {name!r} in use, expected a new one: revoked names are not used again"
        ) from None
    return secret


def revoke_key(engine: Engine, name: str, at_us: int) -> bool:
    """Make a key useless for ever. Result : false where it was revoked before. Raises UnknownKeyName."""
    with Session(engine) as session:
        found = session.get(ApiKey, name)
        if found is None:
            raise UnknownKeyName(f"unknown key {name[:80]!r}; known: {', '.join(_names(session)) or 'none'}")
        if found.revoked_at_us is not None:
            return False
        found.revoked_at_us = at_us
        session.add(found)
        session.commit()
        return True


def list_keys(engine: Engine) -> "pl.DataFrame":
    """All keys in the order they were made: name, roles String, created_at, revoked_at Datetime(us, UTC); no secret."""
    import polars as pl

    with Session(engine) as session:
        rows = session.execute(
            select(col(ApiKey.name), col(ApiKey.roles), col(ApiKey.created_at_us), col(ApiKey.revoked_at_us)).order_by(
                col(ApiKey.created_at_us), col(ApiKey.name)
            )
        ).all()
    schema = {"name": pl.String, "roles": pl.String, "created_at": pl.Int64, "revoked_at": pl.Int64}
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row").with_columns(
        pl.col("created_at", "revoked_at").cast(pl.Datetime("us", "UTC"))
    )


def find_key(engine: Engine, secret: str | None, role: str) -> str:
    """The name of a good key that has the role; `write` includes `read`.

    secret : the key as it was given, null where none was. Raises KeyMissing, KeyUnknown, KeyTooWeak; no message holds
    any part of the secret.
    """
    if secret is None:
        raise KeyMissing("this needs a key: Authorization: Bearer gfk_...")
    digest = _digest(secret)
    with Session(engine) as session:
        found = session.execute(select(ApiKey).where(col(ApiKey.sha256) == digest)).scalar_one_or_none()
        # Found by its hash, which tells nothing of the key; compared once more in constant time all the same.
        if found is None or not compare_digest(found.sha256, digest) or found.revoked_at_us is not None:
            raise KeyUnknown("the key is not known, or was revoked")
        roles = found.roles.split()
        if role not in roles and not (role == "read" and "write" in roles):
            raise KeyTooWeak(f"the key {found.name!r} has the roles {found.roles}; this needs {role}")
        name: str = found.name
        return name


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _names(session: Session) -> list[str]:
    return list(session.execute(select(col(ApiKey.name)).order_by(col(ApiKey.name))).scalars())
