import re
from pathlib import Path
from typing import Literal

import pytest

import fhi
import green_index
from api.lang import LANGUAGES, texts
from api.notes import note_text
from fhi.notes import Note

Name = Literal["analyses", "cli", "notes", "page", "workbook"]


@pytest.mark.parametrize("name", ["analyses", "cli", "notes", "page", "workbook"])
def test_both_languages_say_the_same_things_with_the_same_places(name: Name) -> None:
    zh, en = texts(name, "zh"), texts(name, "en")
    assert set(zh) == set(en)
    for key in en:
        assert set(re.findall(r"{\w+}", zh[key])) == set(re.findall(r"{\w+}", en[key])), key


def test_a_note_becomes_a_sentence_in_either_language() -> None:
    note = Note("too_few_hubs", "carbon_finance.market.liquidity", ("2021", "2022"), "5")
    assert note_text(note, "Liquidity", "en") == (
        "Liquidity: fewer than 5 cities have a figure in 2021, 2022, so it is not used there"
    )
    assert note_text(note, "流动性", "zh") == "流动性：2021、2022 年有数据的城市不足 5 个，当年不使用"


def test_every_kind_of_note_has_a_sentence_in_both_languages() -> None:
    packages = [Path(module.__file__ or "").parent for module in (fhi, green_index)]
    sources = [path.read_text(encoding="utf-8") for package in packages for path in package.rglob("*.py")]
    codes = {code for source in sources for code in re.findall(r'\bNote\(\s*"([a-z_]+)"', source)}
    assert len(codes) > 10
    for lang in LANGUAGES:
        assert codes <= set(texts("notes", lang)), lang
