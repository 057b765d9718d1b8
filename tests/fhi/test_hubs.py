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
        ("廣東省廣州市", "guangzhou"),
        ("黑龍江省哈爾濱市", "harbin"),
        ("廣西壯族自治區南寧市", "nanning"),
        ("武漢市洪山區", "wuhan"),
        ("宁波杭州湾新区", "ningbo"),
        ("Chongqing, CN", "chongqing"),
        ("沪", "shanghai"),
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
        ("杭州湾新区", "other_city", None),
        ("大连湾街道", "unknown", "dalian"),
        ("上海合作组织示范区", "unknown", "shanghai"),
        ("苏州宿迁工业园区", "other_city", None),
        ("Suzhou 宿州市", "other_city", None),
        ("江西安福县", "unknown", None),
        ("湖南宁乡", "unknown", None),
        ("", "blank", None),
        ("12", "unknown", None),
    ],
)
def test_what_is_ambiguous_or_unknown_is_never_guessed(name: str, reason: str, suggestion: str | None) -> None:
    found = resolve(name)
    assert (found["hub"], found["reason"], found["suggestion"]) == (None, reason, suggestion)


@pytest.mark.parametrize(
    "name", ["浦东新区", "上海浦东新区", "上海市浦东新区", "天津市滨海新区", "湖南省长沙县", "江西南昌县", "乌鲁木齐县"]
)
def test_a_part_of_a_city_is_said_to_be_one_whatever_stands_before_it(name: str) -> None:
    found = resolve(name)
    assert (found["hub"] is not None, found["below"]) == (True, True)


# Cities, prefectures and leagues of 2018 that are no hubs; cities without 市.
OTHERS = """
七台河 三亚 三明 三沙 三门峡 上饶 东莞 东营 中卫 中山 临夏回族自治州 临汾 临沂 临沧 丹东 丽水 丽江 乌兰察布 乌海
乐山 九江 云浮 亳州 伊春 伊犁哈萨克自治州 佛山 佳木斯 保定 保山 信阳 儋州 克孜勒苏柯尔克孜自治州 克拉玛依 六安
六盘水 兴安盟 内江 凉山彝族自治州 包头 北海 十堰 南充 南平 南通 南阳 博尔塔拉蒙古自治州 双鸭山 台州 吉安 吉林 吐鲁番
吕梁 吴忠 周口 呼伦贝尔 和田地区 咸宁 咸阳 哈密 唐山 商丘 商洛 喀什地区 嘉兴 嘉峪关 四平 固原 塔城地区 大兴安岭地区
大同 大庆 大理白族自治州 天水 威海 娄底 孝感 宁德 安庆 安康 安阳 安顺 定西 宜宾 宜昌 宜春 宝鸡 宣城 宿州 宿迁 山南
岳阳 崇左 巴中 巴彦淖尔 巴音郭楞蒙古自治州 常州 常德 平凉 平顶山 广元 广安 庆阳 廊坊 延安 延边朝鲜族自治州 开封
张家口 张家界 张掖 徐州 德宏傣族景颇族自治州 德州 德阳 忻州 怀化 怒江傈僳族自治州 恩施土家族苗族自治州 惠州 扬州
承德 抚州 抚顺 揭阳 攀枝花 文山壮族苗族自治州 新乡 新余 无锡 日喀则 日照 昌吉回族自治州 昌都 昭通 晋中 晋城 普洱
景德镇 曲靖 朔州 朝阳 本溪 来宾 松原 林芝 果洛藏族自治州 枣庄 柳州 株洲 桂林 梅州 梧州 楚雄彝族自治州 榆林 武威 毕节
永州 汉中 汕头 汕尾 江门 池州 沧州 河池 河源 泉州 泰安 泰州 泸州 洛阳 济宁 海东 海北藏族自治州 海南藏族自治州
海西蒙古族藏族自治州 淄博 淮北 淮南 淮安 清远 温州 渭南 湖州 湘潭 湘西土家族苗族自治州 湛江 滁州 滨州 漯河 漳州 潍坊
潮州 濮阳 烟台 焦作 牡丹江 玉林 玉树藏族自治州 玉溪 珠海 甘南藏族自治州 甘孜藏族自治州 白城 白山 白银 百色 益阳 盐城
盘锦 眉山 石嘴山 秦皇岛 红河哈尼族彝族自治州 绍兴 绥化 绵阳 聊城 肇庆 自贡 舟山 芜湖 茂名 荆州 荆门 莆田 莱芜 菏泽
萍乡 营口 葫芦岛 蚌埠 衡水 衡阳 衢州 襄阳 西双版纳傣族自治州 许昌 贵港 贺州 资阳 赣州 赤峰 辽源 辽阳 达州 运城
连云港 迪庆藏族自治州 通化 通辽 遂宁 遵义 邢台 那曲 邯郸 邵阳 郴州 鄂尔多斯 鄂州 酒泉 金华 金昌 钦州 铁岭 铜仁 铜川
铜陵 锡林郭勒盟 锦州 镇江 长治 阜新 阜阳 防城港 阳江 阳泉 阿克苏地区 阿勒泰地区 阿坝藏族羌族自治州 阿拉善盟 阿里地区
陇南 随州 雅安 鞍山 韶关 马鞍山 驻马店 鸡西 鹤壁 鹤岗 鹰潭 黄冈 黄南藏族自治州 黄山 黄石 黑河 黔东南苗族侗族自治州
黔南布依族苗族自治州 黔西南布依族苗族自治州 齐齐哈尔 龙岩
"""


@pytest.mark.parametrize("form", ["{}", "{}市", "{}区", "{}市某某区", "{}县", "中国{}", "中国/{}市", "{}市/某某县"])
def test_no_other_city_is_taken_for_a_hub(form: str) -> None:
    found = resolve_hubs(pl.Series([form.format(name) for name in OTHERS.split()]), suggest=False)
    assert found.filter(pl.col("hub").is_not_null()).height == 0
    assert found.height == 301


@pytest.mark.parametrize("name", ["京山市", "京山县", "京口区", "津市", "津市市", "渝水区", "江西省渝水区", "沪州"])
def test_a_name_of_one_character_is_no_beginning_of_a_name(name: str) -> None:
    found = resolve(name)
    assert (found["hub"], found["reason"]) == (None, "unknown")


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
