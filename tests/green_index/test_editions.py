import dataclasses

import polars as pl
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from fhi.notes import Note
from fhi.recipe import Recipe
from green_index.bridge import CarbonFacts, carbon_panel
from green_index.editions import EditionContent, content_hash, freeze, list_editions, load_edition, save_edition
from green_index.errors import ChangedEdition, UnknownEdition
from green_index.index import RANKING, TRACKING, build_green_index, city_years

ENGINE = "test 1"


def content(carbon: CarbonFacts, recipe: Recipe = RANKING, base: str = "open") -> EditionContent:
    rows = carbon_panel(carbon, city_years())
    return freeze(
        build_green_index(
            "open" if base == "open" else "published", rows, recipe, (Note("part_of_year", "CEA", ("2021",)),)
        ),
        ENGINE,
    )


def test_an_edition_comes_back_as_it_was_stored(engine: Engine, carbon: CarbonFacts) -> None:
    frozen = content(carbon)
    with Session(engine) as session:
        save_edition(session, frozen)
        session.commit()
    with Session(engine) as session:
        back = load_edition(session, frozen.id)
    assert back.scores.equals(frozen.scores)
    assert back.inputs.equals(frozen.inputs)
    assert back.weights.equals(frozen.weights)
    assert back.notes == frozen.notes
    assert back.provenance == frozen.provenance
    assert back.framework.hash == frozen.framework.hash
    assert content_hash(back) == content_hash(frozen)


def test_storing_twice_changes_nothing(engine: Engine, carbon: CarbonFacts) -> None:
    with Session(engine) as session:
        ids = [save_edition(session, content(carbon)) for _ in range(2)]
        session.commit()
        counts = [session.connection().execute(text(f"SELECT count(*) FROM {t}")).scalar() for t in TABLES]
        save_edition(session, content(carbon))
        session.commit()
        again = [session.connection().execute(text(f"SELECT count(*) FROM {t}")).scalar() for t in TABLES]
    assert ids[0] == ids[1]
    assert counts == again
    assert counts[0] == 1


TABLES = ("edition", "edition_score", "edition_input", "edition_weight")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE {t} SET edition = edition", "DELETE FROM {t}"])
def test_the_database_refuses_changes(engine: Engine, carbon: CarbonFacts, table: str, verb: str) -> None:
    statement = verb.format(t=table).replace("edition = edition", "id = id" if table == "edition" else "code = code")
    with Session(engine) as session:
        save_edition(session, content(carbon))
        session.commit()
    with pytest.raises(DatabaseError, match="immutable"), engine.begin() as connection:
        connection.execute(text(statement))


def test_other_bytes_under_the_same_id_are_refused(engine: Engine, carbon: CarbonFacts) -> None:
    frozen = content(carbon)
    forged = dataclasses.replace(frozen, scores=frozen.scores.with_columns(pl.col("score") + 1))
    with Session(engine) as session:
        save_edition(session, frozen)
        with pytest.raises(ChangedEdition, match=frozen.id):
            save_edition(session, forged)


def test_same_inputs_same_id_and_bytes_and_each_choice_has_its_own(carbon: CarbonFacts) -> None:
    first, second = content(carbon), content(carbon)
    assert first.id == second.id
    assert content_hash(first) == content_hash(second)
    more = carbon.market_years.with_columns(volume_t=pl.col("volume_t") + 1)
    others = [
        content(carbon, TRACKING),
        content(carbon, Recipe(seed=1)),
        content(carbon, base="published"),
        content(dataclasses.replace(carbon, market_years=more)),
    ]
    assert len({first.id, *(other.id for other in others)}) == 1 + len(others)


def test_another_engine_is_another_edition(carbon: CarbonFacts) -> None:
    result = build_green_index("open", carbon_panel(carbon, city_years()))
    assert freeze(result, "test 1").id != freeze(result, "test 2").id


def test_an_unknown_edition_names_the_stored_ones(engine: Engine, carbon: CarbonFacts) -> None:
    with Session(engine) as session:
        with pytest.raises(UnknownEdition, match="stored: none"):
            load_edition(session, "open-period-0")
        stored = save_edition(session, content(carbon))
        with pytest.raises(UnknownEdition, match=stored):
            load_edition(session, "open-period-0")


def test_list_says_what_each_edition_was_made_from(engine: Engine, carbon: CarbonFacts) -> None:
    with Session(engine) as session:
        assert list_editions(session).height == 0
        stored = save_edition(session, content(carbon))
        row = list_editions(session).row(0, named=True)
    assert row["edition"] == stored
    assert (row["first_year"], row["last_year"], row["seed"], row["engine"]) == (2013, 2023, 0, ENGINE)
