from api.choice_words import in_words

TOLD = "weights dirichlet 0.25; normalisation minmax/zscore/rank; left_out ecosystem.business.finance"


def test_english_is_left_as_it_is() -> None:
    assert in_words(TOLD, "en") == TOLD


def test_chinese_names_choices_and_options_and_leaves_codes_of_indicators() -> None:
    assert in_words(TOLD, "zh") == (
        "权重 狄利克雷 0.25；标准化 极差法/Z值法/位次法；剔除指标 ecosystem.business.finance"
    )
