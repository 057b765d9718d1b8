"""Lists, one account, one act, the life of a unit, the year's standing, seals."""

import json
from io import StringIO

import polars as pl
import pytest

from api.lang import texts
from carbon.ledger.listings import LISTINGS, find_listing

from .town import A1, CEA24, CN, RESERVATION, TOWN, Y2024, Run, rows


@pytest.mark.parametrize("name", LISTINGS)
def test_lists_in_every_form(run: Run, name: str) -> None:
    """CSV and JSON hold the same rows, with the listing's columns; tables have labels in both languages."""
    run("registry", "seal")
    found = rows(run, name)
    assert found
    code, out, _ = run("registry", name, "--format", "csv")
    assert code == 0
    table = pl.read_csv(StringIO(out), infer_schema=False)
    assert table.height == len(found)
    assert table.columns == list(found[0]) == [one.name for one in find_listing(name).columns if one.shown]
    for lang in ("en", "zh"):
        text = texts("cli", lang)
        assert all(f"registry_{column}" in text for column in table.columns)
        code, out, _ = run("registry", name, "--format", "table", "--lang", lang)
        assert code == 0
        assert out.startswith(text[f"registry_title_{name}"].format(rows=len(found)))
        assert "…" not in out


def test_pages_follow_each_other(run: Run) -> None:
    whole = [row["client_id"] for row in rows(run, "transactions", "--sort", "-at")]
    found, more = [], ()
    while True:
        code, out, err = run("registry", "transactions", "--sort", "-at", "--limit", "5", "--format", "json", *more)
        assert code == 0
        found += [row["client_id"] for row in json.loads(out)]
        if not err:
            break
        more = ("--after", err.strip().rsplit(" ", 1)[1])
    assert found == whole
    assert len(set(whole)) == len(TOWN) + 1  # and the seed
    paged = rows(run, "transactions", "--sort", "-at", "--all", "--limit", "3")
    assert [row["client_id"] for row in paged] == whole


def test_filters(run: Run) -> None:
    (one,) = rows(run, "holdings", "--filter", "account=A-1", "--filter", "instrument=CEA24")
    assert (one["quantity"], one["reserved"], one["free"]) == (600, 100, 500)
    assert {row["instrument"] for row in rows(run, "holdings", "--filter", "quantity_from=9400")} == {"CEA24", "CNY"}


def test_one_account(run: Run) -> None:
    found = rows(run, "account", "A-1")
    assert {row["instrument"]: row["quantity"] for row in found} == {"CEA24": 600, "CEA23": 500, "CCER": 500}
    assert {(row["primary"], row["secondary"], row["status"]) for row in found} == {("Jia", "Yi", "open")}
    (empty,) = rows(run, "account", "CN:surrender")
    assert empty["instrument"] is None
    _, out, _ = run("registry", "account", "A-1", "--format", "table", "--lang", "zh")
    assert "主代表人: Jia" in out
    assert "甲电厂" in out


def test_one_transaction_with_its_legs(run: Run) -> None:
    found = rows(run, "transaction", RESERVATION)
    assert [(row["source"], row["target"], row["quantity"], row["phase"]) for row in found] == [
        ("A-1", "B-1", 100, "reserve"),
        ("B-1", "A-1", 5000, "reserve"),
    ]
    _, out, _ = run("registry", "transaction", "town-0", "--format", "table")
    assert "register_entity" in out
    assert "Legs" not in out
    (seed,) = rows(run, "transactions", "--filter", "kind=seed")
    _, out, _ = run("registry", "transaction", seed["client_id"], "--format", "table")
    assert max(len(line) for line in out.splitlines()) < 500


def test_the_life_of_a_unit(run: Run) -> None:
    assert run("registry", "settle", "--reservation", RESERVATION, "--id", "s")[0] == 0
    found = rows(run, "trace", "CEA24:1")
    assert [row["kind"] for row in found if row["kind"]] == ["issue", "pre_allocate", "transfer", "transfer"]
    assert [row["phase"] for row in found if row["kind"]] == ["posted", "posted", "reserve", "settle"]
    assert found[-1]["holder"] == "B-1"
    assert {row["holder"] for row in rows(run, "trace", "CEA24:90-110") if row["kind"] is None} == {"A-1", "B-1"}
    for lang, word in (("en", "The life of CEA24:1"), ("zh", "流转记录")):
        _, out, _ = run("registry", "trace", "CEA24:1", "--format", "table", "--lang", lang)
        assert word in out


def test_how_the_year_stands(run: Run) -> None:
    words = ("compliance", "--scheme", "CN", "--year", "2024", "--account", "A-1", "--as-of")
    (one,) = rows(run, *words, "2026-06-01")
    assert (one["verified_t"], one["obligation_t"], one["surrendered_t"], one["status"]) == (400, 400, 0, "overdue")
    assert rows(run, *words, "2025-12-31") == []
    at = ("--at", "2026-02-01T00:00:00Z")
    assert run("registry", "surrender", *CN, *A1, *CEA24, "--quantity", "380", *Y2024, *at)[0] == 0
    assert run("registry", "use-offsets", *CN, *A1, "--instrument", "CCER", "--quantity", "20", *Y2024, *at)[0] == 0
    (one,) = rows(run, *words, "2026-06-01")
    assert (one["outstanding_t"], one["offsets_t"], one["offset_limit_t"], one["status"]) == (0, 20, 20, "met")
    for lang, word in (("en", "met"), ("zh", "已履约")):
        _, out, _ = run("registry", *words, "2026-06-01", "--format", "table", "--lang", lang)
        assert word in out
    code, _, err = run("registry", "use-offsets", *CN, *A1, "--instrument", "CCER", "--quantity", "1", *Y2024, *at)
    assert (code, "C32" in err) == (1, True)


def test_sealing_and_the_head(run: Run) -> None:
    code, out, err = run("registry", "head", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert "nothing was sealed" in err
    _, out, _ = run("registry", "seal", "--format", "json")
    (sealed,) = json.loads(out)
    assert len(sealed["sha256"]) == 64
    assert rows(run, "head") == [sealed]
    _, out, err = run("registry", "seal", "--format", "json")
    assert json.loads(out) == [sealed]
    assert "nothing is left" in err
