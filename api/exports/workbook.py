"""One run as an Excel workbook in the manner of the JRC COIN Tool: every step a sheet, the results formulas on it.

Knows the order of the sheets. What stands on each lives in the modules beside this one; the scores are those of
`fhi.index` and are computed nowhere here.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
from xlsxwriter import Workbook

from api.exports.cells import make_styles
from api.exports.figures import write_figures, write_normalised, write_scale
from api.exports.layout import plan_workbook
from api.exports.lists import write_changes, write_notes, write_units
from api.exports.profile import write_profiles
from api.exports.readme import write_readme
from api.exports.scores import write_framework, write_results, write_weights
from api.exports.sheets import ExactSheet
from api.lang import Lang
from fhi.index import IndexResult

# The clock of zip files begins here; the same run then gives the same bytes, whenever it is written.
_CREATED: Final = datetime(1980, 1, 1)


def write_workbook(
    path: Path, result: IndexResult, units: pl.DataFrame, provenance: Mapping[str, object], lang: Lang
) -> None:
    """Write the workbook of one run.

    path: of the file to write; units: `hub`, `name` and one column an attribute; provenance: any values, nested tables
    among them; `recipe` is passed over, for the recipe has its own table.

    Scores of indicators are formulas on the figures before, scores of groups formulas on these and on the weights in
    Framework, each with its present value; ReadMe says which are not and why. Missing is an empty cell. Tables have
    two rows of headings, words and keys; rows go by period, then unit, in Results by period, then rank. Raises
    PanelError where Excel has too few rows or columns.
    """
    layout = plan_workbook(result, units, lang)
    # Large books go to disk row by row; small ones share their texts.
    book = Workbook(str(path), {"constant_memory": not layout.live})
    book.worksheet_class = ExactSheet
    book.set_properties({"title": layout.words["book_title"], "created": _CREATED})
    styles = make_styles(book)
    readme = book.add_worksheet(layout.sheet("readme"))
    write_framework(book, layout, styles)
    sheets = ["framework"]
    if units.width > len({"hub", "name"}):
        write_units(book, layout, styles, units)
        sheets.append("units")
    write_figures(book, layout, styles)
    write_scale(book, layout, styles)
    write_normalised(book, layout, styles)
    write_results(book, layout, styles)
    write_profiles(book, layout, styles)
    write_weights(book, layout, styles)
    write_changes(book, layout, styles)
    write_notes(book, layout, styles)
    sheets += [*list(result.steps.cubes)[:-1], "scale", "normalised", "results", "profiles", "weights", "changes"]
    write_readme(book, readme, layout, styles, [*sheets, "notes"], provenance)
    readme.activate()
    book.close()
