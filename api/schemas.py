"""The JSON contract: one model a kind of row, apart from the tables. Used to document the API, not to compute.

Field names are ASCII; names are in both languages in the rows; null means unknown, never zero.
"""

from datetime import date

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """A flat row; a list of them is the whole answer."""

    model_config = ConfigDict(extra="forbid")


class HubRow(Row):
    """A city."""

    hub: str
    name_zh: str
    name_en: str
    gbt2260: str
    administrative_rank: str
    latitude: float
    longitude: float


class ScoreRow(Row):
    """A city's score and rank in one year; level-1 scores by code."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    rank: int | None
    ranked: int
    score: float | None
    fintech: float | None
    carbon_finance: float | None
    sustainability_data: float | None
    coverage: float
    reason: str | None
    reason_zh: str | None


class StandingRow(Row):
    """One fact of a city's standing. `kind`: score (total and groups), holds_back and leads (indicators), printed
    (FHI ranks)."""

    hub: str
    year: int
    kind: str
    level: int
    code: str
    name_zh: str
    name_en: str
    score: float | None
    rank: int | None
    ranked: int | None
    ahead_hub: str | None
    gap_to_ahead: float | None
    leader_hub: str | None
    gap_to_leader: float | None
    coverage: float | None
    score_pooled: float | None
    points: float | None
    value: float | None
    status: str | None
    source: str | None
    unit: str | None
    unit_zh: str | None
    reason: str | None
    reason_zh: str | None


class NodeRow(Row):
    """A node of an indicator tree, with its meaning and its weight."""

    framework: str
    code: str
    parent: str | None
    level: int
    kind: str
    name_zh: str
    name_en: str
    direction: int | None
    unit: str | None
    unit_zh: str | None
    transform: str | None
    definition_zh: str
    definition_en: str
    null_means_zh: str | None
    null_means_en: str | None
    zero_means_zh: str | None
    zero_means_en: str | None
    source: str | None
    judgement_rule: str | None
    judged_by: str | None
    judged_when: str | None
    judgement_reason_zh: str | None
    judgement_reason_en: str | None
    weight: float | None
    consistency_ratio: float | None
    random_index: str | None
    kmo: float | None
    bartlett_p: float | None
    weight_method: str | None
    weight_assumed: bool | None


class MarketRow(Row):
    """A carbon market."""

    market: str
    scope: str
    name_zh: str
    name_en: str
    exchange_zh: str
    exchange_en: str
    hub: str
    currency: str
    opened: date
    products: str
    note: str | None


class MarketPeriodRow(Row):
    """Statistics of a market in one month or year, from embedded sums or loaded files."""

    market: str
    period: str
    by: str
    origin: str
    volume_t: int
    value_fen: int
    value_cny: float
    vwap_cny_per_t: float | None
    sessions: int
    calendar_sessions: int | None
    continuity: float | None
    block_share: float | None
    volatility_annual: float | None
    amihud_per_million_cny: float | None
    zero_return_share: float | None
    last_close_cny_per_t: float | None
    first_day: date
    last_day: date
    coverage: str
    source: str
    note: str | None


class EditionRow(Row):
    """A frozen edition and what it was made from."""

    edition: str
    base: str
    bounds: str
    first_year: int
    last_year: int
    framework: str
    framework_hash: str
    recipe_hash: str
    data_version: str
    seed: int
    engine: str
    content_hash: str


class NoteRow(Row):
    """What a reader must know of an edition's figures; `periods` joined by `; `, empty where it holds for all."""

    edition: str
    code: str
    subject: str
    subject_zh: str
    subject_en: str
    periods: list[str]
    detail: str | None
    text_zh: str
    text_en: str


class SourceRow(Row):
    """Who published a column of an embedded file, and on what terms."""

    file: str
    column: str
    publisher: str
    unit: str
    terms: str
    remark: str | None


class PrintedTableRow(Row):
    """A printed table of the founding documents."""

    table: str
    title_zh: str
    title_en: str
    rows: int
    source: str


class PrintedRow(BaseModel):
    """A row of a printed table: its own columns and its source."""

    model_config = ConfigDict(extra="allow")

    source: str


class ProblemBody(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] | None = None


class Probe(Row):
    """Answer of a probe."""

    status: str
    editions: int | None = None
    newest_year: int | None = None
