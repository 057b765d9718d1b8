"""The rules as data: what they hold, what is refused, and which apply."""

import csv
from datetime import date
from decimal import Decimal

import pytest

from carbon.rules.book import InvalidRules, Rules, load_rules, read_rules, rule_rows, rules_for
from carbon.rules.models import Rule
from carbon.rules.schemes import load_instruments, load_schemes
from carbon.rules.selection import NoRule, RuleConflict, choose_rule, find_rules, number, rival_ids

GOOD = """
scheme = "CN"
[[rule]]
id = "cn-own-2025-coal"
kind = "benchmark"
sector = "power"
classes = ["coal_gt300MW"]
first_year = 2025
last_year = 2025
values = [
    { name = "electricity", value = 0.79, unit = "t/MWh" },
    { name = "heat", value = 0.1, unit = "t/GJ" },
    { name = "basis", value = "gross_generation", unit = "text" },
]
text_en = "what we were told"
source = "a letter"
confidence = "high"
status = "final"
"""


def test_every_rule_says_its_source_confidence_and_status(rules):
    assert len({rule.id for rule in rules.rules}) == len(rules.rules)
    for rule in rules.rules:
        assert rule.source
        assert rule.confidence in {"high", "medium", "low"}
        assert rule.origin == "embedded"
        assert rule.status != "final" or rule.document or rule.confidence in {"high", "medium"}
        assert rule.document is None or "memory" not in rule.source or rule.confidence == "low"


def test_what_is_assumed_is_said_to_be(rules):
    assumed = [rule for rule in rules.rules if "assumption" in rule.source]
    assert assumed
    assert all(rule.status == "assumed" and rule.confidence == "low" for rule in assumed)
    assert {rule.kind for rule in rules.rules if rule.status == "assumed"} == {"rounding"}


def test_benchmarks_are_those_of_the_published_table(rules, outside_data):
    with (outside_data / "factors" / "cn_power_benchmarks.csv").open(encoding="utf-8-sig") as stream:
        published = list(csv.DictReader(stream))
    found = find_rules(rules, "benchmark")
    assert len(found) == len(published) == 28
    by_id = {rule.id: rule for rule in found}
    for row in published:
        rule = by_id[f"cn-power-{row['compliance_year']}-{row['unit_type']}"]
        assert number(rule, "electricity") == Decimal(row["electricity_benchmark_tco2_per_mwh"])
        assert number(rule, "heat") == Decimal(row["heat_benchmark_tco2_per_gj"])
        assert rule.status == row["status"]
        years = row["compliance_year"].split("-")
        assert (rule.first_year, rule.last_year) == (int(years[0]), int(years[-1]))
        assert row["document"].split(" ")[0].rstrip("）") in (rule.document or "") or rule.status == "draft"
        if row["balance_value"]:
            assert number(rule, "electricity_balance") == Decimal(row["balance_value"])


def test_2024_is_half_a_per_cent_below_2023(rules):
    """The notes to the table: the benchmarks of 2024 are those of 2023 x (1 - 0.5 %), printed with four decimals."""
    for unit_class in ["coal_gt300MW", "coal_le300MW", "coal_unconventional", "gas"]:
        old, new = (
            number(find_rules(rules_for(rules, "CN", year), "benchmark", unit_class=unit_class)[0], "electricity")
            for year in (2023, 2024)
        )
        assert abs(old * Decimal("0.995") - new) <= Decimal("0.0001")


def test_drafts_are_never_used_unless_asked_for(rules):
    for year in (2025, 2026):
        assert not rules_for(rules, "CN", year).uses_drafts
        assert find_rules(rules_for(rules, "CN", year), "benchmark") == []
        asked = rules_for(rules, "CN", year, drafts=True)
        assert asked.uses_drafts
        assert asked.drafts
        assert len(find_rules(asked, "benchmark")) == 4
    assert not rules_for(rules, "CN", 2024, drafts=True).uses_drafts


def test_a_rule_is_not_known_before_its_day(rules):
    before = rules_for(rules, "CN", 2024, date(2024, 10, 20))
    after = rules_for(rules, "CN", 2024, date(2024, 10, 21))
    assert find_rules(before, "benchmark") == []
    assert len(find_rules(after, "benchmark")) == 4


def test_rows_for_a_reader(rules):
    rows = rule_rows(rules, scheme="CN", year=2024, kind="benchmark")
    assert rows["rule"].to_list() == [
        f"cn-power-2024-{name}" for name in ("coal_gt300MW", "coal_le300MW", "coal_unconventional", "gas")
    ]
    assert rows["values"][0].startswith("electricity 0.7910 t/MWh; heat 0.1033 t/GJ")
    assert rows["status"].to_list() == ["final"] * 4
    assert rule_rows(rules, scheme="CN", year=2025, kind="benchmark")["status"].to_list() == ["draft"] * 4
    assert rule_rows(rules).height == len(rules.rules)
    assert rule_rows(rules, scheme="CN-SH").height == 0


def test_one_scheme_alone_and_one_that_does_not_exist():
    assert {rule.scheme for rule in load_rules("CN-HB").rules} == {"CN-HB"}
    assert load_rules("CN-SH").rules == ()
    with pytest.raises(InvalidRules, match=r"expected one of .*CN-HB"):
        load_rules("CN-XX")


def test_a_users_rule_is_added_marked_and_goes_first(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(GOOD, encoding="utf-8")
    own = load_rules(extra=path)
    assert len(own.rules) == len(load_rules().rules) + 1
    found = find_rules(rules_for(own, "CN", 2025, drafts=True), "benchmark", unit_class="coal_gt300MW")
    assert [rule.origin for rule in found] == ["user", "embedded"]
    assert number(found[0], "electricity") == Decimal("0.79")


def test_a_users_rule_replaces_the_one_with_its_id(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(GOOD.replace("cn-own-2025-coal", "cn-power-2025-coal_gt300MW"), encoding="utf-8")
    own = load_rules(extra=path)
    assert len(own.rules) == len(load_rules().rules)
    (rule,) = [rule for rule in own.rules if rule.id == "cn-power-2025-coal_gt300MW"]
    assert (rule.origin, rule.status) == ("user", "final")


def test_all_problems_of_a_file_are_shown_together():
    bad = GOOD + GOOD.replace('scheme = "CN"', "").replace('"t/GJ"', '"t"').replace("cn-own", "cn-other")
    bad += GOOD.replace('scheme = "CN"', "").replace("cn-own", "cn-third") + 'colour = "red"\norigin = "user"\n'
    bad = "colour = 1\n" + bad
    with pytest.raises(InvalidRules) as caught:
        read_rules("own.toml", bad, origin="user")
    problems = {(problem.code, problem.column) for problem in caught.value.problems}
    assert problems == {
        ("unknown_key", "colour"),
        ("wrong_value", "cn-other-2025-coal"),
        ("unknown_key", "cn-third-2025-coal: colour"),
        ("unknown_key", "cn-third-2025-coal: origin"),
    }
    headers = [row for row, line in enumerate(bad.splitlines(), start=1) if line == "[[rule]]"]
    (wrong,) = [problem for problem in caught.value.problems if problem.code == "wrong_value"]
    assert wrong.row == headers[1]
    assert "'heat' in t, expected t/GJ" in wrong.expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("last_year = 2025", "last_year = 2024"), "expected the first before the last"),
        (('kind = "benchmark"', 'kind = "benchmarks"'), "benchmark"),
        (('confidence = "high"', 'confidence = "sure"'), "high"),
        (('name = "heat"', 'name = "electricity"'), "more than once"),
        (('scheme = "CN"', ""), "expected a scheme"),
        (("value = 0.79", "value = nan"), "found"),
        (("[[rule]]", "[[rule]"), "expected valid TOML"),
    ],
)
def test_what_is_refused(change, message):
    with pytest.raises(InvalidRules, match=message):
        read_rules("own.toml", GOOD.replace(*change))


def test_an_id_twice_is_refused():
    with pytest.raises(InvalidRules, match="this id a second time"):
        read_rules("own.toml", GOOD + GOOD.replace('scheme = "CN"', ""))


def test_figures_stay_exact_and_typed():
    text = GOOD + '[[rule]]\nid = "cn-x"\nkind = "fact"\ntext_en = "x"\nsource = "x"\nconfidence = "low"\n'
    text += 'status = "reported"\nvalues = [{name="a",value=1,unit="1"},{name="b",value=true,unit="text"},'
    text += '{name="c",value=2024-05-01,unit="date"},{name="d",value="10",unit="text"},{name="e",value=0.10,unit="1"}]'
    values = [quantity.value for quantity in read_rules("own.toml", text)[1].values]
    assert values == [Decimal(1), True, date(2024, 5, 1), "10", Decimal("0.10")]
    assert [type(value) for value in values] == [Decimal, bool, date, str, Decimal]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InvalidRules, match="expected a readable TOML file"):
        load_rules(extra=tmp_path / "none.toml")


def _offset(**changes) -> Rule:
    values = [
        {"name": "share", "value": "0.05", "unit": "share"},
        {"name": "base", "value": "obligation", "unit": "text"},
    ]
    plain = {"id": "x-1", "kind": "offset_limit", "scheme": "X", "text_en": "x", "source": "x", "confidence": "low"}
    return Rule.model_validate({**plain, "status": "reported", "values": values, **changes})


def test_rules_of_equal_rank_that_differ_are_a_conflict():
    other = [
        {"name": "share", "value": "0.10", "unit": "share"},
        {"name": "base", "value": "obligation", "unit": "text"},
    ]
    pair = Rules((_offset(), _offset(id="x-2", values=other)))
    with pytest.raises(RuleConflict, match="x-1, x-2"):
        choose_rule(find_rules(pair, "offset_limit"))
    better = Rules((*pair.rules, _offset(id="x-3", confidence="high")))
    found = find_rules(better, "offset_limit")
    chosen = choose_rule(found)
    assert chosen is not None
    assert chosen.id == "x-3"
    assert rival_ids(chosen, found) == ("x-2",)
    with pytest.raises(NoRule, match="no number 'base'"):
        number(chosen, "base")


def test_hubeis_conflict_is_kept(rules):
    found = find_rules(rules_for(rules, "CN-HB", 2024), "offset_limit")
    assert [(number(rule, "share"), rule.confidence) for rule in found] == [
        (Decimal("0.05"), "medium"),
        (Decimal("0.10"), "low"),
    ]


def test_schemes_and_instruments_fit_together(rules):
    schemes, instruments = load_schemes(), load_instruments()
    assert schemes["scheme"].is_unique().all()
    assert instruments["code"].is_unique().all()
    assert set(instruments["scheme"]) <= set(schemes["scheme"])
    assert {rule.scheme for rule in rules.rules} <= set(schemes["scheme"])
    assert set(schemes["kind"]) == {"national", "pilot", "foreign", "offset"}
    assert set(instruments["unit"]) == {"t", "fen"}
    assert schemes.filter(scheme="CN")["registry_hub"].to_list() == ["wuhan"]
    national = instruments.filter(scheme="CN", kind="allowance")["code"].to_list()
    assert national == ["CEA", "CEA19-20", "CEA21", "CEA22", "CEA23", "CEA24", "CEA25"]
    for table in (schemes, instruments):
        assert table["source"].null_count() == 0
        assert set(table["confidence"]) <= {"high", "medium", "low"}


def test_markets_of_the_schemes_exist():
    from carbon.embedded import read_embedded

    assert set(load_schemes()["market"].drop_nulls()) == set(read_embedded("markets")["market"])
