"""The verbs about time: a city's track, why its rank moved, alerts, monthly scores, printed ranks beside our back-cast.

Knows which editions and panels are asked, which of them are kept, and the words of codes. Computes nothing: the rules
live in `green_index`. Knows no HTTP and no screen.
"""

import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import polars as pl
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from api import ENGINE
from api.lang import LANGUAGES, Lang, texts
from api.store import Store, current_edition, current_panel
from carbon import facts
from carbon.loading import ensure_fresh
from fhi.framework import Framework
from fhi.hubs import find_hub, hubs
from fhi.index import build_index, provenance
from green_index import monthly
from green_index.alerts import ALERT_SCHEMA, band_alerts
from green_index.bridge import month_rows, read_facts
from green_index.edition_change import combine, point_changes, rank_changes_between, run_of_edition
from green_index.editions import (
    DECIMALS,
    Edition,
    EditionContent,
    edition_id,
    edition_provenance,
    freeze,
    load_edition,
    save_edition,
)
from green_index.index import RANKING, TRACKING, Base, GreenResult, city_years, green_framework
from green_index.moves.bands import AROUND_STATED
from green_index.rank_change import PARTS, SCORE_PARTS, rank_change_rows
from green_index.robustness.study import robustness
from green_index.tracking import printed_beside_backcast, track_rows

__all__ = ["alerts", "edition_changes", "monthly_scores", "printed_and_backcast", "rank_changes", "track", "years_of"]

DRAWS: Final = 2000
MOST_DRAWS: Final = 100_000
SUMS: Final = ("carbon_finance.infrastructure.custody", "carbon_finance.market.volume")
"""Indicators that every city has by month, a zero without exchange or registry: null says that no file is loaded."""
_NAMES: Final = ("hub", "name_zh", "name_en")
_BANDS: Final = ("rank_median", "rank_p05", "rank_p95")
Step = Callable[[int, int], None]
CHANGE_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(
            (*_NAMES, "from_edition", "to_edition", "from_period", "to_period", "kind", "code"), pl.String()
        ),
        **dict.fromkeys(("label_zh", "label_en"), pl.String()),
        "level": pl.Int64(),
        **dict.fromkeys(("before", "after", "change", "by_score", "by_weight"), pl.Float64()),
        **dict.fromkeys(("remark_zh", "remark_en"), pl.String()),
    }
)


def years_of(store: Store, base: Base) -> list[int]:
    """The years that the current editions of a base hold, ascending."""
    return [int(period) for period in current_edition(store, base, TRACKING).scores["period"].unique().sort()]


def track(
    store: Store,
    base: Base,
    years: Sequence[int] | None = None,
    name: str | None = None,
    draws: int = 0,
    seed: int = 1,
    step: Step | None = None,
) -> pl.DataFrame:
    """Rank and score of one city or all by year, and why the rank moved: rows of `green_index.tracking.track_rows` with
    names, base and editions, and the band of rank_pooled where draws are asked for (null without).

    years : ascending, all without them; draws, seed : of the bands; step : told of years done and of how many. Raises
    UnknownHub, UnknownPeriod.
    """
    wanted = None if name is None else find_hub(name)
    ranking, pooled = (current_edition(store, base, recipe) for recipe in (RANKING, TRACKING))
    chosen = years_of(store, base) if years is None else list(years)
    rows = track_rows(ranking.scores, pooled.scores, pooled.framework, chosen)
    bands = pl.DataFrame(schema={"hub": pl.String, "year": pl.Int64, **dict.fromkeys(_BANDS, pl.Float64)})
    if draws:
        drawn = _bands(store, base, chosen, draws, seed, step)
        bands = pl.concat([band.select("hub", *_BANDS, year=pl.lit(year, pl.Int64)) for year, band in drawn.items()])
    told = rows.join(bands, on=["hub", "year"], how="left", maintain_order="left").with_columns(
        base=pl.lit(base), edition=pl.lit(ranking.id), edition_pooled=pl.lit(pooled.id), **_reasons()
    )
    shown = _named(_rounded(told)).select(
        *(*_NAMES, "year", "base", "edition", "edition_pooled", "rank", "ranked", "rank_pooled", *_BANDS),
        *("score_pooled", "coverage", "from_year", "gained", *PARTS, "score_change", "reason_zh", "reason_en"),
    )
    return shown if wanted is None else shown.filter(pl.col("hub") == wanted)


def _bands(
    store: Store, base: Base, years: Sequence[int], draws: int, seed: int, step: Step | None
) -> dict[int, pl.DataFrame]:
    """The bands of each year on pooled bounds: rows of `green_index.robustness.bands.band_rows`, weights drawn around
    the stated ones as for the bands of a what-if."""
    panel, tree, threads = current_panel(store, base), green_framework(base), os.cpu_count() or 1
    found = {}
    for done, year in enumerate(years, start=1):
        run = robustness(panel, tree, TRACKING, str(year), AROUND_STATED, draws, seed, threads, pairs=False)
        found[year] = run.bands()
        if step is not None:
            step(done, len(years))
    return found


def alerts(
    store: Store,
    base: Base,
    years: Sequence[int] | None = None,
    name: str | None = None,
    draws: int = DRAWS,
    seed: int = 1,
    step: Step | None = None,
) -> pl.DataFrame:
    """Whose rank band moved from each year to the next of those asked for: rows of `green_index.alerts.band_alerts`
    with names, base, draws, seed, and the alert as a sentence in both languages. Raises UnknownHub, UnknownPeriod."""
    wanted = None if name is None else find_hub(name)
    chosen = years_of(store, base) if years is None else list(years)
    bands = _bands(store, base, chosen, draws, seed, step)
    parts = [band_alerts(bands[one], bands[two], str(one), str(two)) for one, two in pairwise(chosen)]
    rows = pl.concat([pl.DataFrame(schema=ALERT_SCHEMA), *parts])
    told = _named(rows).with_columns(
        pl.lit(base).alias("base"), pl.lit(draws).alias("draws"), pl.lit(seed).alias("seed")
    )
    sentences = {
        f"text_{lang}": pl.Series([_sentence(row, lang) for row in told.iter_rows(named=True)], dtype=pl.String)
        for lang in LANGUAGES
    }
    figures = rows.columns[rows.columns.index("rank_before") :]
    shown = told.with_columns(**sentences).select(
        *(*_NAMES, "base", "from_period", "to_period", "kind", "direction", *figures, "draws", "seed"),
        *("text_zh", "text_en"),
    )
    return shown if wanted is None else shown.filter(pl.col("hub") == wanted)


def _sentence(row: dict[str, object], lang: Lang) -> str:
    said = texts("analyses", lang)
    kind = row["kind"] if row["direction"] is None else f"{row['kind']}_{row['direction']}"
    short = {name: f"{round(value, 1):g}" if isinstance(value, float) else value for name, value in row.items()}
    return said[f"alert_{kind}"].format(**short)


def rank_changes(
    store: Store, base: Base, name: str, before: int | None = None, after: int | None = None
) -> pl.DataFrame:
    """Why a city's rank on pooled bounds moved from one year to another: CHANGE_SCHEMA.

    kind `rank`: the change (before and after are ranks, change is places gained) and its four parts, which sum to it
    exactly; `score`: the change of the score in points and its parts; `points`: every node of the tree, which sums to
    its group. before, after : the first and last year of the edition without them. Raises UnknownHub, UnknownPeriod.
    """
    hub, edition, years = find_hub(name), current_edition(store, base, TRACKING), years_of(store, base)
    periods = str(years[0] if before is None else before), str(years[-1] if after is None else after)
    rows = rank_changes_between(edition.scores, edition.framework.root, *periods)
    return _change_rows(hub, rows, (edition, edition), periods, [])


def edition_changes(
    store: Store,
    name: str,
    from_edition: str,
    to_edition: str,
    from_period: str | None = None,
    to_period: str | None = None,
) -> pl.DataFrame:
    """Why a city's rank moved from one stored edition to another: CHANGE_SCHEMA, as `rank_changes`.

    Periods: the last of each edition without them. Raises UnknownHub, UnknownEdition, UnknownPeriod, NotRepeatable.
    """
    hub = find_hub(name)
    with Session(store.engine) as session:
        old, new = load_edition(session, from_edition), load_edition(session, to_edition)
    runs = run_of_edition(old, from_period), run_of_edition(new, to_period)
    combined = combine(*runs)
    remarks: list[tuple[str, dict[str, object]]] = []
    if not combined.revised:
        remarks.append(("track_not_revised", {"edition": new.id, "period": runs[0].period}))
    if combined.unknown:
        remarks.append(("track_unknown_codes", {"codes": ", ".join(combined.unknown)}))
    rows = rank_change_rows(combined.hubs, combined.scores)
    return _change_rows(hub, rows, (old, new), (runs[0].period, runs[1].period), remarks)


def _change_rows(
    hub: str,
    rows: pl.DataFrame,
    editions: tuple[EditionContent, EditionContent],
    periods: tuple[str, str],
    remarks: Sequence[tuple[str, dict[str, object]]],
) -> pl.DataFrame:
    own = rows.filter(pl.col("hub") == hub).row(0, named=True)
    old, new = editions
    if own["reason"] is not None:
        remarks = [*remarks, (f"track_{own['reason']}", {})]
    said = {
        f"remark_{lang}": "; ".join(texts("analyses", lang)[key].format(**words) for key, words in remarks) or None
        for lang in LANGUAGES
    }
    listed: list[dict[str, object]] = []
    for kind, parts, prefix in (("rank", PARTS, ""), ("score", SCORE_PARTS, "score_")):
        change = own["gained" if kind == "rank" else "score_change"]
        listed.append(
            {"kind": kind, "code": kind, "before": own[f"{kind}_from"], "after": own[f"{kind}_to"], "change": change}
            | said
        )
        listed += [{"kind": kind, "code": part, "change": own[f"{prefix}{part}"]} for part in parts]
    before, after = (
        edition.inputs.filter(pl.col("period") == period) for edition, period in zip(editions, periods, strict=True)
    )
    points = point_changes(before, after, old.framework, new.framework, hub).rename(
        {"points_from": "before", "points_to": "after"}
    )
    joined = pl.concat(
        [pl.DataFrame(listed, infer_schema_length=None), points.drop("is_group").with_columns(kind=pl.lit("points"))],
        how="diagonal_relaxed",
    )
    labels = {lang: _labels(old.framework, new.framework, lang) for lang in LANGUAGES}
    return (
        _named(_rounded(joined).with_columns(hub=pl.lit(hub)))
        .with_columns(
            from_edition=pl.lit(old.id),
            to_edition=pl.lit(new.id),
            from_period=pl.lit(periods[0]),
            to_period=pl.lit(periods[1]),
            label_zh=pl.col("code").replace_strict(labels["zh"]),
            label_en=pl.col("code").replace_strict(labels["en"]),
        )
        .select(pl.col(column).cast(kind) for column, kind in CHANGE_SCHEMA.items())
    )


def _labels(old: Framework, new: Framework, lang: Lang) -> dict[str, str]:
    nodes = {**old.node, **new.node}
    named = {code: node.name_zh if lang == "zh" else node.name_en for code, node in nodes.items()}
    return named | {code: texts("analyses", lang)[f"track_part_{code}"] for code in ("rank", "score", *PARTS)}


def printed_and_backcast(store: Store, name: str) -> pl.DataFrame:
    """A city's printed ranks beside those that our figures give for the same year: rows of
    `green_index.tracking.printed_beside_backcast` with names, the names of the nodes and the edition that the back-cast
    is of. Raises UnknownHub."""
    hub, edition = find_hub(name), current_edition(store, "open", RANKING)
    rows = printed_beside_backcast(edition.scores, edition.framework, hub)
    nodes = edition.framework.node
    labels = [
        pl.col("code")
        .replace_strict({code: getattr(node, f"name_{lang}") for code, node in nodes.items()}, default=None)
        .fill_null(pl.col("code"))
        .alias(f"label_{lang}")
        for lang in LANGUAGES
    ]
    told = _named(rows).with_columns(*labels, edition=pl.lit(edition.id))
    return told.select(*_NAMES, "year", "index", "code", "label_zh", "label_en", *rows.columns[4:], "edition")


def monthly_scores(
    store: Store, base: Base, first: str | None = None, last: str | None = None, *, keep: bool = False
) -> pl.DataFrame:
    """Scores and ranks by month: rows of `green_index.monthly.monthly_scores` with names, base and edition.

    first, last : such as 2022-01; the span with loaded daily files without them. keep : store the edition, so that its
    id can be asked for later. Raises WrongMonths, NoMonths.
    """
    for month in (first, last):
        if month is not None:
            monthly.month_span(month, month)
    content = _monthly_edition(store, base, first, last, keep=keep)
    rows = monthly.monthly_scores(content.scores, content.inputs, content.framework, SUMS)
    told = _named(_rounded(rows)).with_columns(base=pl.lit(base), edition=pl.lit(content.id))
    return told.select(*_NAMES, "month", "base", "edition", *rows.columns[2:])


def _monthly_edition(store: Store, base: Base, first: str | None, last: str | None, *, keep: bool) -> EditionContent:
    yearly = current_panel(store, base)
    with Session(store.engine) as session:
        ensure_fresh(session, store.lake)
        traded, carbon = facts.market_months(session), read_facts(session)
    held = monthly.loaded_span(traded["period"].unique().to_list(), yearly["period"].unique().to_list())
    months = monthly.month_span(first or held[0], last or held[1])
    monthly.check_loaded(traded["period"].to_list(), months)
    cities = city_years().select("hub").unique().sort("hub")
    wanted = cities.join(pl.DataFrame({"period": months}), how="cross")
    panel = monthly.monthly_panel(yearly, month_rows(carbon, traded, wanted), months)
    tree = green_framework(base)
    named = edition_id(edition_provenance(base, provenance(panel, tree, TRACKING), TRACKING.normalise.bounds, ENGINE))
    with Session(store.engine) as session:
        if session.get(Edition, named) is not None:
            return load_edition(session, named)
        result = build_index(panel, tree, TRACKING)
        content = freeze(GreenResult(base=base, index=result, notes=result.notes), ENGINE)
        if keep:
            _keep(session, content)
        return content


def _keep(session: Session, content: EditionContent) -> None:
    try:
        save_edition(session, content)
        session.commit()
    except IntegrityError:
        # Another process stored the same edition meanwhile; the same inputs give the same bytes.
        session.rollback()
        save_edition(session, content)


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.join(hubs().select(*_NAMES), on="hub", how="left", maintain_order="left")


def _rounded(rows: pl.DataFrame) -> pl.DataFrame:
    """Computed figures at the digits that an edition keeps."""
    return rows.with_columns(pl.col(pl.Float64).round(DECIMALS))


def _reasons() -> dict[str, pl.Expr]:
    """Why there are no parts, in words."""
    codes = ("not_ranked_before", "not_ranked_after", "not_ranked_between")
    return {
        f"reason_{lang}": pl.col("reason").replace_strict(
            {code: texts("analyses", lang)[f"track_{code}"] for code in codes}, default=None, return_dtype=pl.String
        )
        for lang in LANGUAGES
    }
