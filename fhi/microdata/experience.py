"""What residents have and know: city services in payment apps, users of credit services, answers to a survey.

Knows the three inputs and the nodes online payment, credit penetration and familiarity with blockchain.
"""

from typing import Final

import polars as pl

from fhi.microdata.rows import (
    MICRO,
    Builder,
    Given,
    Rows,
    add_true_zeros,
    exact_sum,
    from_micro,
    no_rows,
    panel_rows,
    with_population,
)
from fhi.microdata.schema import Column, InputSchema

_APPS: Final = {"alipay": ("支付宝",), "wechat": ("微信", "微信支付", "WeChat Pay")}
_QUESTIONS: Final = {
    "blockchain": ("区块链", "区块链了解程度"),
    "digital_currency": ("数字货币", "数字货币了解程度", "digital currency"),
    "bitcoin": ("比特币", "比特币了解程度"),
    "participation": ("参与度", "交易参与度", "数字货币交易参与度"),
}

SERVICES: Final = InputSchema(
    "services",
    "city services open in payment apps: one row a service",
    "支付应用开通的城市服务：每项一行",
    (
        Column("city", "城市", "city", "city that offers it", "开通城市"),
        Column("app", "应用", "category", "payment app", "支付应用", values=_APPS),
        Column("service", "服务", "text", "name of the service; a name counts once an app", "服务名称"),
    ),
)
CREDIT_USERS: Final = InputSchema(
    "credit_users",
    "users of deposit-free credit services: one row a city",
    "免押金信用服务人数：每城市一行",
    (
        Column("city", "城市", "city", "the city", "城市"),
        Column("users", "人数", "number", "persons who used such services", "使用人数（人）", True, 0.0),
        Column("population", "常住人口", "number", "residents; open figure if empty", "常住人口（人）", False, 1.0),
    ),
    whole_city=True,
)  # fmt: skip
SURVEY: Final = InputSchema(
    "survey",
    "answers to the survey on blockchain: one row an answer",
    "区块链问卷：每个回答一行",
    (
        Column("city", "城市", "city", "city of who answered", "受访者城市"),
        Column("question", "问题", "category", "what was asked", "问题", values=_QUESTIONS),
        Column("score", "得分", "number", "score, one scale for all questions", "得分（同一量纲）", True, 0.0, 100.0),
    ),
)  # fmt: skip


def make_services(groups: pl.DataFrame, given: Given) -> Rows:
    """Distinct services of a city, counted in each app and added up (section 04 of the report); each app as a part.

    groups: hub, period, app, services (distinct names).
    """
    apps = add_true_zeros(groups, ["period", "app"], ["services"], given.complete)
    totals = apps.group_by("hub", "period").agg(pl.col("services").sum())
    code, unit, observed = pl.lit("experience.payment.online_payment"), "services", pl.lit("observed")
    cite = pl.lit(f"{given.files}: number of distinct services, added over apps")
    panel = panel_rows(totals, code, pl.col("services"), unit, observed, cite)
    cite = pl.lit(f"{given.files}: number of distinct services in the app")
    return Rows(panel, panel_rows(apps, code + "." + pl.col("app"), pl.col("services"), unit, observed, cite))


def make_credit_users(groups: pl.DataFrame, given: Given) -> Rows:
    """Users per resident (section 05 of the report): given population, or the open figure of the year.

    groups: hub, period, and smallest and largest users and population (millionths). Null where a city is given twice
    with different figures, or no population is known; the source says so.
    """
    known = with_population(groups)
    agree = (pl.col("users_low") == pl.col("users_high")) & pl.col("people_low").eq_missing(pl.col("people_high"))
    people = pl.coalesce(from_micro("people_low"), "population")
    value = pl.when(agree).then(from_micro("users_low") / people)
    whose = pl.when(pl.col("people_low").is_null()).then(pl.lit("open figures")).otherwise(pl.lit("same file"))
    doubt = pl.when(~agree).then(pl.lit("; not used: the city is given twice, differently")).otherwise(pl.lit(""))
    cite = pl.format(f"{given.files}: users / resident population ({{}}){{}}", whose, doubt)
    code = pl.lit("experience.credit.penetration")
    return Rows(panel_rows(known, code, value, "share of residents", pl.lit("observed"), cite), no_rows())


def make_survey(groups: pl.DataFrame, given: Given) -> Rows:
    """The mean over questions of the mean score of each; each question as a part.

    groups: hub, period, question, score (sum, millionths). The report names the questions without saying how they
    are weighed; equal weight is assumed, so it is estimated. Null where a question that others answered has no answer.
    """
    ordered = groups.sort("hub", "period", "question")
    means = ordered.with_columns(score=from_micro("score") / pl.col("rows"))
    asked = means.group_by("period").agg(asked=pl.col("question").n_unique())
    totals = means.group_by("hub", "period", maintain_order=True).agg(pl.col("score").mean(), answered=pl.len())
    totals = totals.join(asked, on="period", how="left")
    value = pl.when(pl.col("answered") == pl.col("asked")).then("score")
    code = pl.lit("experience.blockchain.familiarity")
    cite = pl.format(f"{given.files}: mean of {{}} questions, equal weight assumed; answered {{}}", "asked", "answered")
    panel = panel_rows(totals, code, value, "score", pl.lit("estimated"), cite)
    cite = pl.format(f"{given.files}: mean of {{}} answers", "rows")
    part = code + "." + pl.col("question")
    return Rows(panel, panel_rows(means, part, pl.col("score"), "score", pl.lit("observed"), cite))


def _micro(column: str) -> pl.Expr:
    return (pl.col(column) * MICRO).round().cast(pl.Int128)


BUILDERS: Final = {
    "services": Builder(
        schema=SERVICES,
        codes=("experience.payment.online_payment",),
        dated=None,
        keys=("app", "service"),
        sums={},
        make=make_services,
        distinct="service",
        totals={"services": pl.len().cast(pl.Int64)},
    ),
    "credit_users": Builder(
        schema=CREDIT_USERS,
        codes=("experience.credit.penetration",),
        dated=None,
        keys=(),
        sums={
            "users_low": _micro("users").min(),
            "users_high": _micro("users").max(),
            "people_low": _micro("population").min(),
            "people_high": _micro("population").max(),
        },
        make=make_credit_users,
    ),
    "survey": Builder(
        schema=SURVEY,
        codes=("experience.blockchain.familiarity",),
        dated=None,
        keys=("question",),
        sums={"score": exact_sum("score")},
        make=make_survey,
    ),
}
