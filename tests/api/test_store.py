import os
import subprocess
import sys
from pathlib import Path

import polars as pl
from sqlalchemy import text
from sqlmodel import Session

from api.settings import Settings
from api.store import current_edition, open_store
from green_index.index import RANKING, TRACKING


def test_an_empty_home_becomes_a_ranking_on_either_database(tmp_path: Path, database_url: str) -> None:
    store = open_store(Settings(home=tmp_path / "home", database_url=database_url))
    edition = current_edition(store, "open", RANKING)
    total = edition.scores.filter(pl.col("code") == "green", pl.col("period") == "2022")
    assert total["rank"].sort().to_list() == list(range(1, 38))
    store.close()


def test_opening_again_reads_the_stored_edition(tmp_path: Path, database_url: str) -> None:
    settings = Settings(home=tmp_path / "home", database_url=database_url)
    store = open_store(settings)
    built = current_edition(store, "open", RANKING)
    store.close()
    again = open_store(settings)
    read = current_edition(again, "open", RANKING)
    assert read.id == built.id
    assert read.scores.equals(built.scores)
    assert read.inputs.equals(built.inputs)
    with Session(again.engine) as session:
        assert session.connection().execute(text("SELECT count(*) FROM edition")).scalar() == 1
    again.close()


def test_each_recipe_and_base_has_its_edition(tmp_path: Path) -> None:
    store = open_store(Settings.from_env({"GREENFIN_HOME": str(tmp_path)}))
    found = {
        current_edition(store, base, recipe).id for base in ("open", "published") for recipe in (RANKING, TRACKING)
    }
    assert len(found) == 4
    store.close()


def test_several_first_starts_at_once_end_in_one_edition(tmp_path: Path, database_url: str) -> None:
    environment = {**os.environ, "GREENFIN_HOME": str(tmp_path / "home"), "DATABASE_URL": database_url}
    command = [sys.executable, "-c", "import sys; from api.cli import main; sys.argv = ['greenfin', 'rank']; main()"]
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)
    ]
    answers = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0] * 4, answers
    assert len({out for out, _ in answers}) == 1
    store = open_store(Settings(home=tmp_path / "home", database_url=database_url))
    with Session(store.engine) as session:
        assert session.connection().execute(text("SELECT count(*) FROM edition")).scalar() == 1
    store.close()
