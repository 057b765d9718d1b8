"""The flat file of the UK Government GHG conversion factors (Defra, BEIS, DESNZ): from its cells to factors.

Knows headings, scopes, units and gases of that file. Must not know how a file is opened or where factors are kept.

The file prints the total in CO2e and, in rows of their own, the part of each gas, also in kg CO2e: "kg CO2e of CH4 per
unit" is not a mass of methane. The total goes to the series `defra`; the parts are divided by the warming potential
that the edition used and go to the series `defra_gases` as masses, so that the two are never added and another set of
potentials can be applied. Empty figures are unavailable, not zero. "Outside of scopes" is biogenic.

The editions to 2021 have no ID, name the gas under "GHG" and write "kg CH4" for what is kg CO2e of CH4 all the same:
the total is the sum of the parts as printed (UK electricity 2020: 0.23104 + 0.00072 + 0.00138 = 0.23314), and where
it is not that is told. Their column text says of fuels only how the amount is measured, which the unit says too.
Rows of the energy that a vehicle takes (GHG in kWh) and bounds ("< 1") are no emission factors: set apart, with a
warning. A stay in a hotel of another country is a factor for the world, since the country is in its name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem, Severity
from carbon.footprints.schemas import factors_schema
from carbon.footprints.units import canonical_units

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DefraColumns", "DefraRows", "defra_columns", "defra_rows"]

_HEADINGS: Final = ("Scope", "Level 1", "Level 2", "Level 3", "Level 4", "Column Text", "UOM")
_GAS_HEADINGS: Final = ("GHG/Unit", "GHG")
_FACTOR: Final = re.compile(r"^GHG Conversion Factor\s+(\d{4})$")
_GASES: Final = r"(?i)^kg (?:CO2e of )?(CO2|CH4|N2O)(?: per unit)?$"
_TOTAL: Final = r"(?i)^kg CO2e$"
_OLD_GAS: Final = r"(?i)^kg (?:CO2|CH4|N2O)\b"
_ENERGY: Final = r"(?i)^kWh\b"
_NUMBER: Final = r"^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d+)?(?:[eE][+-]?\d+)?$"
"""Commas stand between thousands only: 1,25 is not 125."""
_BOUND: Final = r"^[<>]"
_SAME_AS_UNIT: Final = ("Energy - Gross CV", "Energy - Net CV", "Volume", "Tonnes")
_HOTELS: Final = "hotel stay"
_BIOGENIC: Final = "outside of scopes"
_LAST_AR4: Final = 2022
_TOLD: Final = {2020: "AR4GWP100", 2025: "AR5GWP100", 2026: "AR5GWP100"}
"""Editions whose warming potentials were read in their method papers; those in between are taken by analogy."""
_GWP: Final = {
    "AR4GWP100": {"CO2": 1.0, "CH4": 25.0, "N2O": 298.0},
    "AR5GWP100": {"CO2": 1.0, "CH4": 28.0, "N2O": 265.0},
}
_PLAIN: Final = {
    "uk_electricity/electricity_generated/electricity:_uk": "electricity",
    "fuels/gaseous_fuels/natural_gas": "natural_gas",
    "fuels/liquid_fuels/diesel_(average_biofuel_blend)": "diesel",
    "fuels/liquid_fuels/petrol_(average_biofuel_blend)": "petrol",
}
"""What the file calls a few things, and what we call them."""
_KINDS: Final = {
    "electricity": "electricity",
    "heat and steam": "heat",
    "fuels": "combustion",
    "bioenergy": "combustion",
    "refrigerant": "fugitive",
    "vehicle": "transport",
    "travel": "transport",
    "freight": "transport",
}


@dataclass(frozen=True)
class DefraColumns:
    """Where each heading stands, and the year of the edition; identity : place of the ID, null where there is none."""

    places: dict[str, int]
    identity: int | None
    gas: int
    gas_heading: str
    factor: int
    year: int


@dataclass(frozen=True)
class DefraRows:
    """Good rows in `factors_schema`; rows_read = rows + unavailable + set apart. Errors in `problems` and the warnings
    not_an_emission and only_a_bound set rows apart, the warning parts_unlike_total does not."""

    rows: "pl.DataFrame"
    rows_read: int
    unavailable: int
    problems: tuple[Problem, ...]
    assumed: tuple[str, ...]


def defra_columns(header: Sequence[str]) -> DefraColumns | None:
    """The columns of the flat file in one line of cells; null where the line is not its header."""
    found = [(at, match) for at, cell in enumerate(header) if (match := _FACTOR.match(cell))]
    gas = [at for at, cell in enumerate(header) if cell in _GAS_HEADINGS]
    if len(found) != 1 or not gas or any(name not in header for name in _HEADINGS):
        return None
    at, match = found[0]
    identity = header.index("ID") if "ID" in header else None
    return DefraColumns(
        {name: header.index(name) for name in _HEADINGS}, identity, gas[0], header[gas[0]], at, int(match[1])
    )


def defra_rows(cells: "pl.DataFrame", columns: DefraColumns, file: str, recorded: date | None) -> DefraRows:
    """Factors of the lines below the header.

    cells : row (Int64) and c0 .. (String); file : for problems; recorded : day of the record
    A total that is not the sum of its gases within rounding is a warning; the rows are kept.
    """
    import polars as pl

    named = _named(cells, columns)
    potentials = "AR4GWP100" if columns.year <= _LAST_AR4 else "AR5GWP100"
    typed = named.with_columns(
        value=pl.when(pl.col("text").str.contains(_NUMBER)).then(
            pl.col("text").str.replace_all(",", "").cast(pl.Float64, strict=False)
        ),
        unit=canonical_units(named["uom"]),
        gas=_gas(columns.gas_heading),
    )
    empty = pl.col("text").is_null()
    energy, bound = pl.col("ghg").str.contains(_ENERGY), pl.col("text").str.contains(_BOUND)
    typed = typed.with_columns(aside=~empty & (energy | bound).fill_null(False))
    noted = (
        (energy & ~empty, "ghg", "a mass of CO2e: energy is no emission", "not_an_emission"),
        (bound & ~energy.fill_null(False), "text", "a number: a bound is no figure", "only_a_bound"),
    )
    rules = (
        (~empty & pl.col("value").is_null(), "text", "a number, or nothing", "unreadable_cell"),
        (pl.col("value") < 0, "text", "zero or more", "negative_value"),
        (~empty & pl.col("unit").is_null(), "uom", "a unit of `greenfin factors units`", "unknown_unit"),
        (~empty & pl.col("gas").is_null(), "ghg", _expected_gas(columns.gas_heading), "unknown_gas"),
        (~empty & ~pl.col("factor_id").is_first_distinct(), "factor_id", "an ID of its own", "repeated_factor"),
    )
    factor = f"GHG Conversion Factor {columns.year}"
    key = "UOM" if columns.identity is None else "ID"
    shown = {"text": factor, "uom": "UOM", "ghg": columns.gas_heading, "factor_id": key}
    told: list[tuple[pl.Expr, str, str, str, Severity]] = [
        *((~pl.col("aside") & where, column, expected, code, "error") for where, column, expected, code in rules),
        *((where, column, expected, code, "warning") for where, column, expected, code in noted),
    ]
    problems = [
        Problem(file, row, shown[column], text, expected, code, severity)
        for where, column, expected, code, severity in told
        for row, text in typed.filter(where.fill_null(False)).select("row", column).fill_null("nothing").iter_rows()
    ]
    bad = [problem.row for problem in problems]
    good = typed.filter(~empty & ~pl.col("row").is_in(bad))
    problems += _unlike_sums(good, file, shown["text"])
    assumed = () if columns.year in _TOLD else (f"warming potentials of the edition {columns.year}: {potentials}",)
    return DefraRows(
        rows=_factors(good, columns.year, potentials, recorded),
        rows_read=named.height,
        unavailable=typed.filter(empty).height,
        problems=tuple(problems),
        assumed=assumed,
    )


def _gas(heading: str) -> "pl.Expr":
    """CO2e, CO2, CH4 or N2O of what stands under the heading; null where it is none of them."""
    import polars as pl

    ghg = pl.col("ghg")
    part = ghg.str.extract(_GASES, 1).str.to_uppercase()
    # Under the newer heading "kg CH4" has never been printed: it may be a mass of methane.
    allowed = part if heading == "GHG" else pl.when(~ghg.str.contains(_OLD_GAS)).then(part)
    return pl.when(ghg.str.contains(_TOTAL)).then(pl.lit("CO2e")).otherwise(allowed)


def _expected_gas(heading: str) -> str:
    shorter = " (or kg CH4 for it)" if heading == "GHG" else ""
    return f"kg CO2e, or kg CO2e of CO2, CH4 or N2O per unit{shorter}"


def _named(cells: "pl.DataFrame", columns: DefraColumns) -> "pl.DataFrame":
    """row, the cells by name, `activity`, `kind`, `base` (what the gases share) and factor_id."""
    import polars as pl

    text = pl.col(f"c{columns.places['Column Text']}")
    levels = [pl.col(f"c{columns.places[name]}") for name in _HEADINGS[1:5]]
    levels.append(pl.when(~text.is_in(_SAME_AS_UNIT)).then(text))
    filled = cells.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))
    path = pl.concat_str(levels, separator="/", ignore_nulls=True).str.to_lowercase().str.replace_all(r"\s+", "_")
    named = filled.select(
        "row",
        scope=pl.col(f"c{columns.places['Scope']}"),
        title=pl.concat_str(levels, separator=" / ", ignore_nulls=True),
        first_level=levels[0].str.to_lowercase(),
        third_level=levels[2],
        path=path,
        uom=pl.col(f"c{columns.places['UOM']}"),
        ghg=pl.col(f"c{columns.gas}").str.replace_all(r"\s+", " "),
        text=pl.col(f"c{columns.factor}"),
        identity=pl.lit(None, pl.String) if columns.identity is None else pl.col(f"c{columns.identity}"),
    )
    kind = pl.lit("process")
    for word, name in _KINDS.items():
        kind = pl.when(pl.col("first_level").str.contains(word, literal=True)).then(pl.lit(name)).otherwise(kind)
    by_words = pl.concat_str("path", pl.col("uom").str.replace_all(r"\s+", "_"), separator="/")
    # An ID ends in a number for the gas: what stands before it is common to the total and its parts.
    base = pl.coalesce(pl.col("identity").str.replace(r"_\d+$", ""), by_words)
    gas = _gas(columns.gas_heading)
    part = pl.when(gas != "CO2e").then(gas)
    head = pl.format("defra-{}-{}", pl.lit(columns.year), base)
    return named.with_columns(
        activity=pl.col("path").replace(_PLAIN),
        kind=kind,
        base=pl.concat_str("scope", base, separator="|"),
        factor_id=pl.when(part.is_null()).then(head).otherwise(pl.format("{}:{}", head, part)),
    )


def _unlike_sums(good: "pl.DataFrame", file: str, column: str) -> list[Problem]:
    """Totals that are not the sum of the gases beside them, by more than the rounding of all of them."""
    import polars as pl

    is_total = pl.col("gas") == "CO2e"
    # A spreadsheet drops zeros at the end: 3.4 stands beside 2528.26, with two decimals both.
    decimals = pl.col("text").str.extract(r"\.(\d+)$", 1).str.len_chars().fill_null(0)
    sums = good.group_by("base", maintain_order=True).agg(
        row=pl.col("row").filter(is_total).first(),
        total=pl.col("value").filter(is_total).first(),
        parts=pl.col("value").filter(~is_total).sum(),
        count=(~is_total).sum(),
        decimals=decimals.max(),
    )
    # Only where all three gases are printed is the sum a whole.
    whole = sums.filter((pl.col("count") == 3) & pl.col("total").is_not_null())
    # Four figures, each rounded by half of the last decimal; the second term is the error of adding in binary.
    rounding = pl.lit(10.0).pow(-pl.col("decimals").cast(pl.Float64)) * 2 + pl.col("total").abs() * 1e-12
    unlike = whole.filter((pl.col("total") - pl.col("parts")).abs() > rounding)
    severity: Severity = "warning"
    return [
        Problem(file, row, column, f"{total}", f"{parts:.5f}, the sum of its gases", "parts_unlike_total", severity)
        for row, total, parts in unlike.select("row", "total", "parts").iter_rows()
    ]


def _factors(good: "pl.DataFrame", year: int, potentials: str, recorded: date | None) -> "pl.DataFrame":
    import polars as pl

    is_part = pl.col("gas") != "CO2e"
    divisor = pl.col("gas").replace_strict(_GWP[potentials], default=1.0, return_dtype=pl.Float64)
    is_biogenic = pl.col("scope").str.to_lowercase().str.strip_chars() == _BIOGENIC
    said = pl.format("{}, printed {} {} per {}", "scope", "text", "ghg", "uom")
    gas_remark = pl.format("{}; mass = printed / {} ({})", said, divisor, pl.lit(potentials))
    return good.select(
        "factor_id",
        "activity",
        "kind",
        parameter=pl.lit("emission_factor"),
        gas="gas",
        value=pl.col("value") / divisor,
        numerator=pl.lit("kg"),
        denominator="unit",
        region=pl.when(_is_hotel_abroad()).then(pl.lit("World")).otherwise(pl.lit("GB")),
        valid_from=pl.lit(date(year, 1, 1)),
        valid_to=pl.lit(date(year, 12, 31)),
        series=pl.when(is_part).then(pl.lit("defra_gases")).otherwise(pl.lit("defra")),
        method=pl.when(pl.col("activity") == "electricity").then(pl.lit("location")),
        biogenic=is_biogenic.fill_null(False),
        lower=pl.lit(None, pl.Float64),
        upper=pl.lit(None, pl.Float64),
        distribution=pl.lit(None, pl.String),
        source=pl.lit(f"UK Government GHG conversion factors for company reporting {year}, flat file"),
        published=pl.lit(None, pl.Date),
        recorded=pl.lit(recorded, pl.Date),
        replaces=pl.lit(None, pl.String),
        confidence=pl.lit("H"),
        assumed=is_part & pl.lit(year not in _TOLD),
        name_zh=pl.lit(None, pl.String),
        name_en="title",
        remark=pl.when(is_part).then(gas_remark).otherwise(said),
    ).cast(dict(factors_schema()))  # type: ignore[arg-type]


def _is_hotel_abroad() -> "pl.Expr":
    import polars as pl

    is_hotel = pl.col("first_level").str.strip_chars() == _HOTELS
    return (is_hotel & ~pl.col("third_level").str.starts_with("UK")).fill_null(False)
