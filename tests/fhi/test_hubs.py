import pytest

from fhi.errors import UnknownHub
from fhi.hubs import find_hub, hubs


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
