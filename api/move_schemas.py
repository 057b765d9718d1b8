"""The documented rows of what would move a city. Null means unknown or none, never zero. Computes nothing."""

from api.schemas import Row


class WhatIfRow(Row):
    """A city's total, or a group of a changed city, before and after other figures. `after`: the index built again;
    `frozen`: bounds and weights as they are. Bands of the total where draws were asked for: sensitivity to choices, not
    confidence intervals."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    code: str
    group_zh: str
    group_en: str
    level: int
    score_before: float | None
    score_after: float | None
    score_change: float | None
    score_frozen: float | None
    rank_before: int | None
    rank_after: int | None
    rank_frozen: int | None
    ranked_before: int
    ranked_after: int
    rank_median_before: float | None
    rank_p05_before: float | None
    rank_p95_before: float | None
    rank_median_after: float | None
    rank_p05_after: float | None
    rank_p95_after: float | None
    draws: int | None
    seed: int | None
    kind: str | None
    kind_zh: str | None
    kind_en: str | None


class WhatIfFigureRow(Row):
    """A figure that was set, assumed and not observed, with its score and weight in the city's total. `counts` is false
    where too few cities have a figure or all have the same."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    code: str
    indicator_zh: str
    indicator_en: str
    unit: str
    unit_zh: str
    how: str
    value_before: float | None
    value_after: float
    status_before: str | None
    status_after: str
    normalised_before: float | None
    weight_before: float | None
    normalised_after: float | None
    weight_after: float | None
    normalised_frozen: float | None
    counts: bool


class WhatIfShiftRow(Row):
    """A bound (`worst`, `best`: figures) or a stated weight (`weight`) that moved with the figures."""

    year: int
    base: str
    edition: str
    code: str
    indicator_zh: str
    indicator_en: str
    unit: str
    unit_zh: str
    what: str
    before: float | None
    after: float | None


class TargetRow(Row):
    """What the search for the least effort found: on bounds and weights as they are (`frozen`), and with the index
    built again from the figures found (`rebuilt`)."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    wanted_rank: int | None
    wanted_score: float | None
    lead: float | None
    rank_before: int
    ranked: int
    score_before: float
    hub_to_pass: str | None
    score_needed: float | None
    aimed_higher: float
    reachable: bool
    score_frozen: float
    rank_frozen: int
    score_rebuilt: float | None
    rank_rebuilt: int | None
    holds_rebuilt: bool
    cost: float
    moved: int
    best_score: float
    best_rank: int
    without_figure: int
    unused: str | None
    pass_zh: str | None
    pass_en: str | None


class TargetMoveRow(Row):
    """A figure that has to move: from where, to where, what it brings to the total and what it costs. With `reachable`
    false the goal is out of reach, and the figures lead to the best that is not."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    code: str
    indicator_zh: str
    indicator_en: str
    unit: str
    unit_zh: str
    value_before: float | None
    value_after: float
    normalised_before: float
    normalised_after: float
    weight: float
    points: float
    cost: float
    switch: bool
    reachable: bool


class BreakEvenRow(Row):
    """The weight of one group nearest to the stated one at which the city's rank changes, the next ones on both
    sides, and the best and worst rank over all its weights; null where the rank never changes."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    code: str
    group_zh: str
    group_en: str
    weight_stated: float
    rank: int
    nearest_weight: float | None
    nearest_change: float | None
    nearest_rank: int | None
    below_weight: float | None
    below_rank: int | None
    above_weight: float | None
    above_rank: int | None
    best_rank: int
    worst_rank: int
    left_out: str | None


class WeightIntervalRow(Row):
    """The weights of one group, from 0 to 1, for which the city has one rank."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    code: str
    group_zh: str
    group_en: str
    weight_stated: float
    weight_from: float
    weight_to: float
    rank: int
    holds_stated: bool


class EvenPairRow(Row):
    """The weight of one group at which the city is level with another one; null where there is none from 0 to 1."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    code: str
    group_zh: str
    group_en: str
    other: str
    weight_stated: float
    ahead_by: float
    weight_even: float | None
    weight_change: float | None
    ahead_above: bool | None
    other_zh: str
    other_en: str


class RankRangeRow(Row):
    """The best and the worst rank of a city for any weights in the region. Margins in points; 0: level with others."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    region: str
    level: str
    score: float
    rank: int
    best_rank: int
    worst_rank: int
    best_margin: float | None
    worst_margin: float | None
    can_be_first: bool
    first_alone: bool
    verified: bool
    ranked: int
    left_out: str | None


class RangeWeightRow(Row):
    """One weight of those that give a city its best or its worst rank."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    code: str
    group_zh: str
    group_en: str
    end: str
    rank: int
    score: float
    weight_stated: float
    weight: float
