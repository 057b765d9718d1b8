import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.errors import UnknownHub
from fhi.hubs import RESOLVED, find_hub, hub_aliases, hubs, resolve_hubs

PROVINCES = {
    "13": "河北省",
    "14": "山西省",
    "15": "内蒙古自治区",
    "21": "辽宁省",
    "22": "吉林省",
    "23": "黑龙江省",
    "32": "江苏省",
    "33": "浙江省",
    "34": "安徽省",
    "35": "福建省",
    "36": "江西省",
    "37": "山东省",
    "41": "河南省",
    "42": "湖北省",
    "43": "湖南省",
    "44": "广东省",
    "45": "广西壮族自治区",
    "46": "海南省",
    "51": "四川省",
    "52": "贵州省",
    "53": "云南省",
    "54": "西藏自治区",
    "61": "陕西省",
    "62": "甘肃省",
    "63": "青海省",
    "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区",
}
SHORT = {
    "内蒙古自治区": "内蒙古",
    "广西壮族自治区": "广西",
    "宁夏回族自治区": "宁夏",
    "新疆维吾尔自治区": "新疆",
    "西藏自治区": "西藏",
}


def resolve(name: str) -> dict[str, object]:
    return resolve_hubs(pl.Series([name])).row(0, named=True)


def full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def test_thirty_seven_hubs_with_both_names_and_a_code() -> None:
    frame = hubs()
    assert frame.height == 37
    assert frame.null_count().sum_horizontal()[0] == 0
    assert frame["hub"].n_unique() == frame["gbt2260"].n_unique() == 37
    assert frame["gbt2260"].str.contains(r"^\d{6}$").all()


@pytest.mark.parametrize("name", ["wuhan", "Wuhan", "武汉", "武汉市", "420100", " WUHAN "])
def test_a_hub_by_any_of_its_names(name: str) -> None:
    assert find_hub(name) == "wuhan"


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownHub, match="nearest: wuhan"):
        find_hub("wuhann")


def test_aliases_name_hubs_or_nothing_and_none_is_given_twice() -> None:
    frame = hub_aliases()
    assert frame["alias"].n_unique() == frame.height
    assert set(frame["hub"].drop_nulls()) <= set(hubs()["hub"])
    assert frame["note"].null_count() == 0
    for alias, hub, _ in frame.iter_rows():
        assert resolve(alias)["hub"] == hub


@pytest.mark.parametrize("row", hubs().rows(named=True), ids=lambda row: row["hub"])
def test_every_hub_in_all_forms(row: dict[str, str]) -> None:
    zh, en, code = row["name_zh"], row["name_en"], row["gbt2260"]
    province = PROVINCES.get(code[:2])
    whole = [zh, f"{zh}市", en, en.lower(), en.upper(), f"{en} City", f"{en}, China", f"中国{zh}", row["hub"], code]
    whole += [full_width(en), full_width(code), f" {zh} ", f"　{zh}市", f"{code}.0", " ".join(zh), en.replace("'", "’")]
    if province:
        short = SHORT.get(province, province[:-1])
        whole += [f"{joined}{zh}市" for joined in (province, short, f"{province}/", f"{province} ", f"{short}-")]
        whole.append(f"{short}{zh}")
    for name in whole:
        found = resolve(name)
        assert (found["hub"], found["below"], found["reason"]) == (row["hub"], False, None), name
    parts = [f"{zh}市某某区", f"{zh}某某县", f"{zh}-某某区", f"{zh}市某某区某某路1号", code[:2] + code[2:4] + "99"]
    parts += [f"{province or ''}{zh}市某某区", f"Some District, {en}", code[:4] + "05001001"]
    for name in parts:
        found = resolve(name)
        assert (found["hub"], found["below"], found["reason"]) == (row["hub"], True, None), name


@pytest.mark.parametrize(
    ("name", "hub"),
    [
        ("吉林省长春市", "changchun"),
        ("吉林-长春", "changchun"),
        ("海南海口", "haikou"),
        ("北京市北京市朝阳区", "beijing"),
        ("北京北京", "beijing"),
        ("上海浦东新区", "shanghai"),
        ("110105", "beijing"),
        ("500200", "chongqing"),
        ("4201", "wuhan"),
        ("420111001001", "wuhan"),
        ("长沙县", "changsha"),
        ("江苏省苏州市", "suzhou"),
        ("Suzhou", "suzhou"),
        ("Xi'an, Shaanxi, P.R. China", "xian"),
        ("Ürümqi", "urumqi"),
        ("XI AN", "xian"),
        ("烏魯木齊市", "urumqi"),
        ("Wuhan 武汉", "wuhan"),
    ],
)
def test_names_in_the_wild(name: str, hub: str) -> None:
    assert resolve(name)["hub"] == hub


@pytest.mark.parametrize(
    ("name", "reason", "suggestion"),
    [
        ("420000", "province", "wuhan"),
        ("湖北省", "province", "wuhan"),
        ("吉林", "province", "changchun"),
        ("海南", "province", "haikou"),
        ("Guangdong", "province", "guangzhou, shenzhen"),
        ("吉林市", "other_city", None),
        ("吉林省吉林市", "other_city", None),
        ("雅安", "other_city", None),
        ("四川雅安", "other_city", None),
        ("宿州", "other_city", None),
        ("台州", "other_city", None),
        ("泰州市", "other_city", None),
        ("西安区", "other_city", None),
        ("429004", "other_code", None),
        ("999999", "other_code", None),
        ("安徽省苏州市", "province_conflict", "suzhou"),
        ("Suzhou, Anhui", "province_conflict", "suzhou"),
        ("武汉/上海", "two_hubs", "shanghai, wuhan"),
        ("洪山区", "unknown", None),
        ("武汗", "unknown", "wuhan"),
        ("wuhann", "unknown", "wuhan"),
        ("武汉大学", "unknown", "wuhan"),
        ("北京市场", "unknown", "beijing"),
        ("南京路街道", "unknown", "nanjing"),
        ("海南藏族自治州", "unknown", None),
        ("江西安福县", "unknown", None),
        ("湖南宁乡", "unknown", None),
        ("", "blank", None),
        ("12", "unknown", None),
    ],
)
def test_what_is_ambiguous_or_unknown_is_never_guessed(name: str, reason: str, suggestion: str | None) -> None:
    found = resolve(name)
    assert (found["hub"], found["reason"], found["suggestion"]) == (None, reason, suggestion)


def test_distinct_names_in_the_order_of_appearance_without_nulls() -> None:
    found = resolve_hubs(pl.Series([None, "武汉", "火星", "武汉", "Beijing"]))
    assert found.schema == RESOLVED
    assert found.select("name", "hub").rows() == [("武汉", "wuhan"), ("火星", None), ("Beijing", "beijing")]
    assert resolve_hubs(pl.Series(["wuhann"]), suggest=False)["suggestion"][0] is None
    assert resolve_hubs(pl.Series([420100, 420000]))["hub"].to_list() == ["wuhan", None]
    assert resolve_hubs(pl.Series([], dtype=pl.String)).height == 0


@given(st.text(max_size=12))
def test_any_text_is_read_without_failing_and_has_a_hub_or_a_reason(name: str) -> None:
    found = resolve(name)
    assert (found["hub"] is None) == (found["reason"] is not None)


@given(st.sampled_from(hubs()["name_zh"].to_list()), st.sampled_from(sorted(PROVINCES)))
def test_a_hub_counts_only_in_its_own_province(name_zh: str, code: str) -> None:
    row = hubs().row(by_predicate=pl.col("name_zh") == name_zh, named=True)
    found = resolve(f"{PROVINCES[code]}{name_zh}市")
    assert found["hub"] == (row["hub"] if row["gbt2260"].startswith(code) else None)
