"""Transactions as movements: every block once, kinds by the code table, unknown codes kept without a kind."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from carbon.formats.eu import euets_movements, movements_of, read_euets, transaction_types

SLUGS = {
    "issue",
    "allocate",
    "transfer",
    "surrender",
    "cancel",
    "carry_over",
    "convert",
    "external",
    "reverse",
    "correct",
    "other",
}


def one_block(main: int | None, supplementary: int | None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "reference": ["XA1/1"],
            "at": [datetime(2006, 1, 20, 7, 1, 15, 731_000)],
            "main": [main],
            "supplementary": [supplementary],
            "source": ["1"],
            "target": [None],
            "instrument": ["EUA2005"],
            "quantity_t": [10],
            "row": [2],
        },
        schema_overrides={"main": pl.Int64, "supplementary": pl.Int64, "target": pl.String},
    )


@pytest.mark.parametrize(
    ("main", "supplementary", "kind", "code"),
    [
        (10, 0, "transfer", "10-0"),
        (10, 2, "surrender", "10-2"),
        (10, 53, "allocate", "10-53"),
        (10, 1, "cancel", "10-1"),
        # The same supplementary number means retirement of surrendered allowances under main type 5.
        (5, 1, "other", "5-1"),
        (5, 2, "other", "5-2"),
        (3, 0, "external", "3-0"),
        (7, 0, "carry_over", "7-0"),
        (2, 0, "convert", "2-0"),
        (10, 61, "convert", "10-61"),
        (1, 22, "issue", "1-22"),
        (10, 22, "external", "10-22"),
        (10, 92, "reverse", "10-92"),
        (10, 93, "correct", "10-93"),
        (10, 999, None, "10-999"),
        (99, 0, None, "99-0"),
        (99, 2, None, "99-2"),
        (None, 2, None, "?-2"),
        (10, None, None, "10-?"),
    ],
)
def test_kind_of_a_code(main: int | None, supplementary: int | None, kind: str | None, code: str) -> None:
    moved = movements_of(one_block(main, supplementary))
    assert moved.select("kind", "eu_code").rows() == [(kind, code)]


def test_the_moment_is_in_microseconds_of_utc() -> None:
    expected = datetime(2006, 1, 20, 7, 1, 15, tzinfo=UTC).timestamp() * 1_000_000 + 731_000
    assert movements_of(one_block(10, 0))["at_us"].to_list() == [expected]


def test_every_known_reversal_is_one() -> None:
    # Research section 2: the reversals among the supplementary types.
    reversals = [82, 84, 86, 92, 94, 104, 124, 142, 143, 171, 172, 190, 272]
    types = transaction_types()
    assert types.filter(slug="reverse")["supplementary"].to_list() == reversals
    assert set(types["slug"]) == SLUGS
    assert types.select("main", "supplementary").is_duplicated().sum() == 0
    assert types["name"].null_count() == 0


def test_the_sample_becomes_one_movement_a_block(outside_data: Path) -> None:
    blocks = read_euets(outside_data / "registry" / "eutl_transactions_sample.csv.gz").tables["transaction"]
    moved = euets_movements(blocks)
    assert moved.columns == [
        *("reference", "at_us", "kind", "eu_code", "source", "target", "instrument", "quantity_t", "row")
    ]
    assert moved.height == blocks.height
    assert moved["kind"].null_count() == 0
    assert moved["reference"].n_unique() == blocks.height
    assert moved["reference"][0] == "AT1020/241"
    assert moved.row(0)[3:] == ("10-0", "308", "399", "EUA2005", 3180, 2)
    assert (moved["quantity_t"] == blocks["amount"]).all()
    by_code = dict(moved.group_by("eu_code").len().iter_rows())
    by_pair = blocks.group_by("transactionTypeMain_id", "transactionTypeSupplementary_id").len()
    assert by_code == {f"{main}-{supplementary}": count for main, supplementary, count in by_pair.iter_rows()}
