"""Respondents' ratings of cities as one target: home cities left out, strict and generous respondents made alike.

Knows ratings as rows. Knows no factor and no model. A rating of one's own home counts for nothing here.
"""

from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.errors import Problem
from green_index.perception.errors import PerceptionError

RATING_SCHEMA: Final = pl.Schema(
    {"respondent": pl.String, "home": pl.String, "hub": pl.String, "rating": pl.Float64, "date": pl.Date}
)
HUB_RATING_SCHEMA: Final = pl.Schema(
    {"hub": pl.String, "rating": pl.Float64, "ratings": pl.Int64, "respondents": pl.Int64}
)
MOST_RATINGS: Final = 200_000
OLDEST: Final = 20
"""Half-lives after which a rating, which counts a millionth, is left out. Ours."""


def counted(ratings: pl.DataFrame, half_life_days: float | None = None) -> pl.DataFrame:
    """The ratings that count, with `weight`: those of a respondent's home left out.

    ratings: RATING_SCHEMA; home is null where it is none of our hubs. weight is 1, or 2 ^ -(age / half_life_days) with
    the age in days before the latest rating, and ratings older than OLDEST half-lives left out (GFCI also lets old
    assessments count less; the half-life is ours). Raises PerceptionError where weights are asked for and a date is
    missing.
    """
    kept = ratings.filter((pl.col("hub") == pl.col("home")).fill_null(value=False).not_())
    if half_life_days is None:
        return kept.with_columns(weight=pl.lit(1.0))
    undated = kept["date"].null_count()
    if undated:
        expected = "a date in every row, where older ratings are to count less"
        raise PerceptionError([Problem("ratings", f"{undated} rows without date", expected, "no_date")])
    age = (pl.col("date").max() - pl.col("date")).dt.total_days() / half_life_days
    return (
        kept.with_columns(age=age).filter(pl.col("age") <= OLDEST).with_columns(weight=0.5 ** pl.col("age")).drop("age")
    )


def hub_ratings(rows: pl.DataFrame, *, centred: bool = True) -> pl.DataFrame:
    """One rating a hub: HUB_RATING_SCHEMA, sorted by hub; `ratings` and `respondents` that it rests on.

    rows: of `counted`. Centred: rating = level of the respondent + rating of the hub by weighted least squares, and
    the hubs are given as a respondent of middle level (the weighted mean of all levels) sees them, so that it does not
    matter whether generous or strict respondents rated a hub. Else: weighted means. Raises PerceptionError where no
    respondents link some hubs with the others, which so cannot be made comparable.
    """
    counts = rows.group_by("hub").agg(
        ratings=pl.len().cast(pl.Int64),
        respondents=pl.col("respondent").n_unique().cast(pl.Int64),
        mean=(pl.col("rating") * pl.col("weight")).sum() / pl.col("weight").sum(),
    )
    counts = counts.sort("hub")
    if not centred or counts.height < 2:
        return counts.rename({"mean": "rating"}).select(HUB_RATING_SCHEMA.names())
    values = _effects(rows, counts["hub"].to_list())
    return counts.with_columns(rating=pl.Series(values)).select(HUB_RATING_SCHEMA.names())


def combine(rows: pl.DataFrame, hubs: list[str], predicted: Array) -> Array:
    """Each hub as all respondents see it (hubs,): their own rating where they gave one, else the predicted one shifted
    by their level; the mean over all respondents but those at home there.

    rows: of `counted`; predicted: (hubs,), NaN for a hub without prediction, which stays NaN. A respondent's level is
    the mean of what they gave above the prediction, over the hubs that they rated. After GFCI and the Global Green
    Finance Index, which fill in what a respondent did not rate by a model; theirs is one model a respondent, ours one
    model for all and a level a respondent.
    """
    given = rows.join(pl.DataFrame({"hub": hubs, "predicted": predicted}), on="hub").filter(
        pl.col("predicted").is_not_nan()
    )
    each = given.group_by("respondent").agg(
        level=((pl.col("rating") - pl.col("predicted")) * pl.col("weight")).sum() / pl.col("weight").sum(),
        weight=pl.col("weight").mean(),
        home=pl.col("home").drop_nulls().unique(),
    )
    own = given.group_by("respondent", "hub").agg(
        own=(pl.col("rating") * pl.col("weight")).sum() / pl.col("weight").sum(), own_weight=pl.col("weight").mean()
    )
    filled = (
        each.join(pl.DataFrame({"hub": hubs, "predicted": predicted}), how="cross")
        .filter(pl.col("home").list.contains(pl.col("hub")).not_())
        .join(own, on=["respondent", "hub"], how="left")
        .with_columns(
            value=pl.coalesce("own", pl.col("predicted") + pl.col("level")), counts=pl.coalesce("own_weight", "weight")
        )
        .sort("hub", "respondent")
    )
    means = filled.group_by("hub").agg(found=(pl.col("value") * pl.col("counts")).sum() / pl.col("counts").sum())
    joined = pl.DataFrame({"hub": hubs}).join(means, on="hub", how="left", maintain_order="left")
    return joined["found"].cast(pl.Float64).fill_null(np.nan).to_numpy()


def centred_errors(rows: pl.DataFrame, predicted: pl.DataFrame) -> tuple[Array, Array]:
    """Actual and predicted ratings, each less the respondent's mean over the hubs that they rated: two arrays, one
    entry a rating, of respondents with two ratings at least.

    rows: of `counted`; predicted: hub, predicted. For respondents whose level no model can know.
    """
    both = rows.join(predicted, on="hub", maintain_order="left").filter(pl.len().over("respondent") > 1)
    less = both.select((pl.col(name) - pl.col(name).mean()).over("respondent") for name in ("rating", "predicted"))
    return less["rating"].to_numpy(), less["predicted"].to_numpy()


def _effects(rows: pl.DataFrame, hubs: list[str]) -> Array:
    """Hub effects at the mean respondent's level, the levels eliminated from the normal equations."""
    people = rows["respondent"].unique().sort()
    hub = rows["hub"].replace_strict(hubs, list(range(len(hubs))), return_dtype=pl.Int64).to_numpy()
    person = rows["respondent"].replace_strict(people, list(range(len(people))), return_dtype=pl.Int64).to_numpy()
    weight, rating = rows["weight"].to_numpy(), rows["rating"].to_numpy()
    table, sums = np.zeros((len(people), len(hubs))), np.zeros((len(people), len(hubs)))
    np.add.at(table, (person, hub), weight)
    np.add.at(sums, (person, hub), weight * rating)
    of_person = table.sum(axis=1)
    normal = np.diag(table.sum(axis=0)) - table.T @ (table / of_person[:, None])
    right = sums.sum(axis=0) - table.T @ (sums.sum(axis=1) / of_person)
    _check_linked(table, hubs)
    effects = np.linalg.lstsq(normal, right, rcond=None)[0]
    levels = (sums.sum(axis=1) - table @ effects) / of_person
    found: Array = effects + (levels * of_person).sum() / of_person.sum()
    return found


def _check_linked(table: Array, hubs: list[str]) -> None:
    """Raise unless one can go from each hub to each other by respondents who rated both."""
    rated = (table > 0).astype(np.int64)
    reached = np.zeros(len(hubs), dtype=bool)
    reached[0] = True
    while True:
        more = ((rated[:, reached].sum(axis=1) > 0) @ rated) > 0
        if (more == reached).all():
            break
        reached = more | reached
    if not reached.all():
        apart = ", ".join(name for name, there in zip(hubs, reached, strict=True) if not there)
        found = f"no respondent who rated one of {apart} and any other city"
        raise PerceptionError([Problem("ratings", found, "respondents who link all cities", "not_linked")])
