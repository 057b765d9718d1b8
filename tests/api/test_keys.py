"""Keys: shown once, kept as a hash, refused when unknown, revoked or too weak."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from api.keys import (
    PREFIX,
    BadKeyName,
    KeyMissing,
    KeyTooWeak,
    KeyUnknown,
    UnknownKeyName,
    create_key,
    find_key,
    list_keys,
    revoke_key,
)


def test_a_key_is_found_by_what_was_shown_once(engine: Engine) -> None:
    secret = create_key(engine, "wang", 1_000_000)
    assert secret.startswith(PREFIX)
    assert len(secret) == len(PREFIX) + 43, "256 bits in base 64 without padding"
    assert find_key(engine, secret, "write") == "wang"
    assert find_key(engine, secret, "read") == "wang"


def test_the_database_holds_no_key(engine: Engine) -> None:
    secret = create_key(engine, "wang", 1)
    with engine.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM api_key")).all()
    assert secret not in repr(row)
    assert secret.removeprefix(PREFIX) not in repr(row)


def test_keys_differ(engine: Engine) -> None:
    secrets = {create_key(engine, f"key{number}", number) for number in range(5)}
    assert len(secrets) == 5
    assert list_keys(engine)["name"].to_list() == [f"key{number}" for number in range(5)]


def test_no_key_a_wrong_one_and_a_revoked_one(engine: Engine) -> None:
    secret = create_key(engine, "wang", 1)
    with pytest.raises(KeyMissing):
        find_key(engine, None, "write")
    for wrong in ("", "gfk_", secret[:-1], secret + "A", secret.upper(), "\ud800", "x" * 100_000):
        with pytest.raises(KeyUnknown) as refusal:
            find_key(engine, wrong, "write")
        assert "gfk_" not in str(refusal.value)
    assert revoke_key(engine, "wang", 2)
    assert not revoke_key(engine, "wang", 3)
    with pytest.raises(KeyUnknown):
        find_key(engine, secret, "write")
    (row,) = list_keys(engine).to_dicts()
    assert row["created_at"] == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert row["revoked_at"] == datetime(1970, 1, 1, 0, 0, 0, 2, tzinfo=UTC)


def test_reading_is_not_writing(engine: Engine) -> None:
    secret = create_key(engine, "reader", 1, ["read"])
    assert find_key(engine, secret, "read") == "reader"
    with pytest.raises(KeyTooWeak, match=r"'reader' has the roles read; this needs write"):
        find_key(engine, secret, "write")


@pytest.mark.parametrize("name", ["", " ", "a b", "a" * 65, "-a", "王", "a\x00", "greenfin"])
def test_names_are_plain(engine: Engine, name: str) -> None:
    with pytest.raises(BadKeyName):
        create_key(engine, name, 1)


def test_a_name_is_used_once_even_after_it_was_revoked(engine: Engine) -> None:
    create_key(engine, "wang", 1)
    revoke_key(engine, "wang", 2)
    with pytest.raises(BadKeyName, match="in use"):
        create_key(engine, "wang", 3)


def test_unknown_roles_and_names(engine: Engine) -> None:
    for roles in ([], ["admin"], ["write", "x"]):
        with pytest.raises(BadKeyName, match="known: read, write"):
            create_key(engine, "wang", 1, roles)
    with pytest.raises(UnknownKeyName, match="known: none"):
        revoke_key(engine, "nobody", 1)
