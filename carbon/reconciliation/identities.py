"""The identities that trading figures must keep, each a small function: canonical rows in, every comparison out.

Knows which sums must be equal: parts and total, vintages and composite, running sum and days, exchange and registry,
the two sides of a splice. Must not know files, screens or tolerances: an identity is exact to the tonne and the fen.
What two feeds agree on without having to is in `agreement`, what a source printed as a sum in
`assertions`.

Numbers in brackets are the checks of the domain notes (C38, C39).
"""

from typing import TYPE_CHECKING

from carbon.products import vintage_expr
from carbon.rows import ALL, METHOD_NAMES

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ORIGINS",
    "check_identities",
    "compare_exchange_with_registry",
    "compare_parts_with_total",
    "compare_running_sums",
    "compare_splices",
    "compare_vintages_with_composite",
    "identities_schema",
    "origin_expr",
    "summarise_identities",
    "total_by_day",
]

# Whose figures a feed prints on every session: a sum of these feeds that does not come out is an error, not an opinion.
ORIGINS = {
    "cneeex_daily": "exchange",
    "exchange_year": "exchange",
    "vintage_panel": "transcript",
    "crc_price": "registry",
    "crc_settlement": "registry",
}
_OFFICIAL = ("exchange", "registry")
COMPOSITE = "COMCEA"  # The exchange's own code for all vintages together.

_MEASURES = ("volume_t", "value_fen")


def identities_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of comparisons: rule, market, product (null = all together), method (null = all together),
    day, measure (volume_t or value_fen), left, right and their difference left - right (Int64 tonnes or fen, null where
    a side has no row; for a figure printed rounded what lies beyond its last digit), left_from, right_from (feeds, or
    who printed it) and must_be_exact.
    """
    import polars as pl

    text = pl.String
    return {
        **{"rule": text, "market": text, "product": text, "method": text, "day": pl.Date, "measure": text},
        **{"left": pl.Int64, "right": pl.Int64, "difference": pl.Int64},
        **{"left_from": text, "right_from": text, "must_be_exact": pl.Boolean},
    }


def origin_expr(feed: str) -> "pl.Expr":
    """Whose figures the feed of a column are: exchange, registry, transcript; null where nobody vouches for them.

    feed : String column of feeds; what follows a blank ("crc_price (old.csv)") only tells two files apart.
    """
    import polars as pl

    name = pl.col(feed).str.split(" ").list.first()
    return name.replace_strict(ORIGINS, default=None, return_dtype=pl.String)


def check_identities(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Every comparison of every identity that applies to canonical rows, of one market or several, in
    `identities_schema`.
    """
    import polars as pl

    found = [rule(rows) for rule in _RULES]
    return pl.concat(found).sort("rule", "market", "left_from", "right_from", "product", "method", "day", "measure")


def compare_parts_with_total(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Listing + block + auction = total of the same feed, product and day, where a feed prints both (C38). A part that
    is not printed counts as none.
    """
    import polars as pl

    key = ["market", "feed", "product", "day"]
    is_printed = pl.any_horizontal(pl.col(_MEASURES).is_not_null())
    parts = rows.filter((pl.col("method") != ALL) & is_printed).group_by(key).agg(_sums())
    totals = rows.filter(pl.col("method") == ALL).group_by(key).agg(_sums())
    both = parts.join(totals, on=key, suffix="_right").with_columns(method=pl.lit(None, dtype=pl.String))
    named = both.with_columns(left_from="feed", right_from="feed")
    return _comparisons(named, "parts = total", pl.lit(True))


def compare_vintages_with_composite(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The sum of the vintages = the composite, by day and method (C38): COMCEA against the vintages of its own feed,
    and a feed by vintage against a feed of the same origin that prints no vintage.

    Exact where the exchange or the registry prints both.
    """
    import polars as pl

    key = ["market", "feed", "day", "method"]
    has_vintage = vintage_expr("product").is_not_null()
    composite = rows.filter(pl.col("product") == COMPOSITE).group_by(key).agg(_sums())
    vintages = rows.filter(has_vintage).group_by(key).agg(_sums())
    inside = vintages.join(composite, on=key, suffix="_right").with_columns(left_from="feed", right_from="feed")
    own = _comparisons(_with_method_names(inside), "vintages = composite", origin_expr("feed").is_in(_OFFICIAL))
    feeds = (
        rows.group_by("market", "feed")
        .agg(has_vintage.any().alias("by_vintage"))
        .with_columns(origin=origin_expr("feed"))
    )
    pairs = feeds.filter("by_vintage").join(
        feeds.filter(~pl.col("by_vintage")), on=["market", "origin"], suffix="_right"
    )
    return pl.concat([own, *_side_by_side(rows, pairs, "vintages = composite")])


def compare_exchange_with_registry(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The exchange's figure = the registry's, all products together, by day and method (C39), on the days that both
    cover.
    """
    import polars as pl

    feeds = rows.select("market", "feed", origin=origin_expr("feed")).unique()
    exchange, registry = (feeds.filter(pl.col("origin") == origin) for origin in _OFFICIAL)
    pairs = exchange.join(registry, on="market", suffix="_right")
    return pl.concat([_nothing(), *_side_by_side(rows, pairs, "exchange = registry")])


def compare_running_sums(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The rise of a printed running sum = the figure of the day, between the rows of one feed, product and method in
    order of days (C38). The first row has nothing to be checked by.

    left : the rise, right : the day's figure. Exact where the exchange or the registry prints it.
    """
    import polars as pl

    group = ["market", "feed", "product", "method"]
    printed = {"volume_t": "cumulative_volume_t", "value_fen": "cumulative_value_fen"}
    found = [_nothing()]
    for measure, running in printed.items():
        known = rows.filter(pl.col(running).is_not_null()).sort(*group, "day")
        steps = known.with_columns(rise=pl.col(running) - pl.col(running).shift(1).over(group))
        # Another feed's rise over days that it does not print is no rise of a day, but its last day is what it shows.
        named = _with_method_names(steps.filter(pl.col("rise").is_not_null())).with_columns(
            left=pl.col("rise"),
            right=pl.col(measure),
            left_from="feed",
            right_from="feed",
        )
        found.append(_measured(named, "running sum = days", measure, origin_expr("feed").is_in(_OFFICIAL)))
    return pl.concat(found)


def compare_splices(rows: "pl.DataFrame") -> "pl.DataFrame":
    """What an earlier feed sums to before a later one begins = the later feed's first running sum less its first day.

    Only for an earlier feed that begins on the market's first day and a later one with a running sum of one product;
    both must print the same scope, which no rule can know: never asked to be exact.
    """
    import polars as pl

    from carbon.embedded import read_embedded

    opened = read_embedded("markets").select("market", "opened")
    by_day = total_by_day(rows)
    starts = by_day.group_by("market", "feed").agg(pl.col("day").min()).join(opened, on="market")
    whole = starts.filter(pl.col("day") <= pl.col("opened")).select("market", "feed")
    found = [_nothing()]
    for measure, running in (("volume_t", "cumulative_volume_t"), ("value_fen", "cumulative_value_fen")):
        printed = rows.filter(pl.col(running).is_not_null()).sort("day")
        one_product = pl.col("product").n_unique().over("market", "feed") == 1
        first = printed.filter(one_product).group_by("market", "feed").agg(pl.col("day", running, measure).first())
        later = first.with_columns(right=pl.col(running) - pl.col(measure)).drop(measure, running)
        # A running sum that begins with its own first day has nothing before it.
        pairs = later.filter(pl.col("right") > 0).join(whole.rename({"feed": "earlier"}), on="market")
        days = by_day.select("market", earlier="feed", earlier_day="day", amount=measure)
        before = (
            pairs.filter(pl.col("earlier") != pl.col("feed"))
            .join(days, on=["market", "earlier"])
            .filter(pl.col("earlier_day") < pl.col("day"))
            .group_by("market", "earlier", "feed", "day", "right")
            .agg(_sum_or_null("amount").alias("left"))
        )
        named = before.with_columns(
            product=pl.lit(None, dtype=pl.String),
            method=pl.lit(None, dtype=pl.String),
            left_from="earlier",
            right_from="feed",
        )
        found.append(_measured(named, "splice", measure, pl.lit(False)))
    return pl.concat(found)


def total_by_day(rows: "pl.DataFrame", *, by_product: bool = False) -> "pl.DataFrame":
    """Tonnes and value of each market, feed and day, counted once: market, feed, day, volume_t, value_fen, ascending;
    with by_product also product.

    A row of all methods stands for the rows of single methods beside it. Where products are added up, they stand for
    the composite COMCEA beside them. A sum with an unknown part is null.
    """
    import polars as pl

    group = ["market", "feed", "day", *(["product"] if by_product else [])]
    has_total = (pl.col("method") == ALL).any().over("market", "feed", "day", "product")
    is_composite = pl.col("product") == COMPOSITE
    is_needed = pl.lit(True) if by_product else ~is_composite | is_composite.all().over("market", "feed", "day")
    once = rows.filter((pl.col("method") == ALL) | ~has_total).filter(is_needed)
    return once.group_by(group).agg(_sums()).sort(group)


def summarise_identities(identities: "pl.DataFrame") -> "pl.DataFrame":
    """One line a rule, market, pair and measure: compared, equal, equal_share, largest_difference (Int64, by size, with
    its sign), worst_day, must_be_exact, and holds (true where every comparison is exact).

    A comparison with a side missing counts as compared and not as equal.
    """
    import polars as pl

    group = ["rule", "market", "left_from", "right_from", "measure"]
    is_equal = (pl.col("difference") == 0).fill_null(False)
    by_size = pl.col("difference").abs()
    worst = (
        pl.col("day")
        .sort_by(by_size, descending=True, nulls_last=False)
        .filter(~is_equal.sort_by(by_size, descending=True, nulls_last=False))
    )
    return (
        identities.sort("day")
        .group_by(group)
        .agg(
            pl.len().cast(pl.Int64).alias("compared"),
            is_equal.sum().cast(pl.Int64).alias("equal"),
            is_equal.mean().alias("equal_share"),
            pl.col("difference").get(by_size.arg_max()).alias("largest_difference"),
            worst.first().alias("worst_day"),
            pl.col("must_be_exact").all(),
            is_equal.all().alias("holds"),
        )
        .sort(group)
    )


_RULES = (
    compare_parts_with_total,
    compare_vintages_with_composite,
    compare_exchange_with_registry,
    compare_running_sums,
    compare_splices,
)


def _nothing() -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(schema=identities_schema())


def _sum_or_null(column: str) -> "pl.Expr":
    import polars as pl

    return pl.when(pl.col(column).null_count() == 0).then(pl.col(column).sum())


def _sums() -> "list[pl.Expr]":
    return [_sum_or_null(measure).alias(measure) for measure in _MEASURES]


def _with_method_names(frame: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    names = {**METHOD_NAMES, ALL: None}
    return frame.with_columns(pl.col("method").replace_strict(names, return_dtype=pl.String))


def _side_by_side(rows: "pl.DataFrame", pairs: "pl.DataFrame", rule: str) -> "list[pl.DataFrame]":
    """The comparisons of each pair (market, feed, feed_right): by method where both feeds know it, else of totals."""
    import polars as pl

    named = pairs.select("market", "feed", "feed_right").sort(pl.all())
    return [
        _compare_pair(rows.filter(pl.col("market") == market), left, right, rule)
        for market, left, right in named.iter_rows()
    ]


def _compare_pair(rows: "pl.DataFrame", left: str, right: str, rule: str) -> "pl.DataFrame":
    import polars as pl

    two = rows.filter(pl.col("feed").is_in([left, right]))
    if (two["method"] == ALL).any():
        figures = total_by_day(two).with_columns(method=pl.lit(None, dtype=pl.String))
    else:
        once = two.filter((pl.col("product") != COMPOSITE) | (pl.col("product") == COMPOSITE).all().over("feed", "day"))
        figures = _with_method_names(once.group_by("market", "feed", "day", "method").agg(_sums()))
    sides = [figures.filter(pl.col("feed") == feed).drop("feed") for feed in (left, right)]
    begins = figures.group_by("feed").agg(pl.col("day").min())["day"].max()
    ends = figures.group_by("feed").agg(pl.col("day").max())["day"].min()
    shared = [side.filter(pl.col("day").is_between(pl.lit(begins), pl.lit(ends))) for side in sides]
    both = shared[0].join(
        shared[1], on=["market", "day", "method"], how="full", suffix="_right", coalesce=True, nulls_equal=True
    )
    # A feed that prints a zero and one that prints no row say the same.
    idle = (pl.col("volume_t").fill_null(0) == 0) & (pl.col("volume_t_right").fill_null(0) == 0)
    kept = both.filter(~(idle & (pl.col("volume_t").is_null() | pl.col("volume_t_right").is_null())))
    return _comparisons(kept.with_columns(left_from=pl.lit(left), right_from=pl.lit(right)), rule, pl.lit(True))


def _comparisons(frame: "pl.DataFrame", rule: str, must_be_exact: "pl.Expr") -> "pl.DataFrame":
    """Both measures of a frame whose right side stands in `volume_t_right` and `value_fen_right`."""
    import polars as pl

    return pl.concat(
        _measured(
            frame.with_columns(left=pl.col(measure), right=pl.col(f"{measure}_right")), rule, measure, must_be_exact
        )
        for measure in _MEASURES
    )


def _measured(frame: "pl.DataFrame", rule: str, measure: str, must_be_exact: "pl.Expr") -> "pl.DataFrame":
    import polars as pl

    product = pl.col("product") if "product" in frame.columns else pl.lit(None, dtype=pl.String).alias("product")
    full = frame.with_columns(
        product,
        pl.lit(rule).alias("rule"),
        pl.lit(measure).alias("measure"),
        (pl.col("left") - pl.col("right")).alias("difference"),
        must_be_exact.fill_null(False).alias("must_be_exact"),
    )
    return full.select(pl.col(name).cast(kind) for name, kind in identities_schema().items())
