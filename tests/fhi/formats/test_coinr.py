"""COINr's example of 51 countries and our own printed tree, read as they are."""

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from fhi.errors import FrameworkError
from fhi.formats.panel_files import load_panel
from fhi.framework import Framework, load_framework


@pytest.fixture(scope="module")
def asem(reference: Path) -> Path:
    return reference / "composite" / "coinr_asem"


@pytest.fixture(scope="module")
def tree(asem: Path) -> Framework:
    return load_framework(asem / "iMeta.csv")


def test_imeta_is_a_tree(tree: Framework) -> None:
    assert (tree.root, tree.children["Index"]) == ("Index", ("Conn", "Sust"))
    assert [sum(level == wanted for level in tree.level.values()) for wanted in range(4)] == [1, 2, 8, 49]
    assert [entry.code for entry in tree.denominators] == ["Area", "Energy", "GDP", "Population"]
    assert [entry.code for entry in tree.attributes] == ["GDP_group", "GDPpc_group", "Pop_group", "EurAsia_group"]
    flights = tree.indicator["Flights"]
    assert (flights.denominator, flights.target, flights.weight) == ("Population", 200.33265549999999, 1.0)
    assert flights.name_en == flights.name_zh == "International flights passenger capacity"
    assert sum(leaf.direction == -1 for leaf in tree.indicators) == 14
    assert sum(leaf.denominator is not None for leaf in tree.indicators) == 17


def test_idata_loads_without_a_problem(asem: Path, tree: Framework) -> None:
    file = load_panel(asem / "iData.csv", tree)
    assert file.problems == ()
    assert file.rejected.is_empty()
    assert file.units.shape == (51, 2 + 4)
    assert file.units.filter(hub="CHN").row(0)[:2] == ("CHN", "China")
    assert file.units["EurAsia_group"].value_counts().sort("count")["count"].to_list() == [21, 30]
    figures = file.panel.filter(pl.col("code").is_in(list(tree.indicator)))
    assert figures.height == 51 * 49
    assert figures["value"].null_count() == 63
    austria = file.panel.filter(hub="AUT", code="GDP")
    assert austria.select("period", "value", "unit").row(0) == ("2018", 390.79999114746801, "USD Bn")


def test_the_same_from_a_workbook(asem: Path, tree: Framework, tmp_path: Path) -> None:
    book = tmp_path / "iData.csv.xlsx"
    sheets = {
        name: pl.read_csv(asem / f"{name}.csv", infer_schema_length=None, null_values="NA")
        for name in ("iMeta", "iData")
    }
    with xlsxwriter.Workbook(str(book)) as workbook:
        for name, frame in sheets.items():
            frame.write_excel(workbook, name)
    again = load_framework(book)
    # Workbooks hold 16 digits of a number, CSV 17.
    targets = [{code: leaf.target for code, leaf in read.indicator.items()} for read in (again, tree)]
    assert targets[0] == pytest.approx(targets[1], rel=1e-15)
    rest = [
        read.model_dump(exclude={"id": True, "source": True, "indicators": {"__all__": {"target"}}})
        for read in (again, tree)
    ]
    assert rest[0] == rest[1]
    ours, theirs = load_panel(asem / "iData.csv", tree), load_panel(book, tree)
    assert theirs.problems == ()
    assert theirs.units.equals(ours.units)
    near = theirs.panel["value"] - ours.panel["value"]
    assert (near.abs() <= 1e-15 * ours.panel["value"].abs()).all()
    assert theirs.panel.drop("value", "source").equals(ours.panel.drop("value", "source"))


def test_our_own_flat_table(reference: Path) -> None:
    tree = load_framework(reference / "fhi2017" / "framework.csv")
    assert [sum(level == wanted for level in tree.level.values()) for wanted in (1, 2, 3)] == [3, 16, 39]
    assert tree.node["industry.p2p"].name_zh == "网贷行业"
    assert (tree.id, tree.title_en, tree.source) == ("framework", "FinTech Hub Index", "framework.csv")
    shipped = load_framework(Path("fhi/frameworks/fhi.toml"), Path("fhi/frameworks/fhi_judgements.toml"))
    assert tree.children == shipped.children


IMETA = "Level,iCode,Parent,Direction,Weight,Type"


def imeta(folder: Path, *rows: str, head: str = IMETA) -> Framework:
    path = folder / "meta.csv"
    path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return load_framework(path)


def test_goalposts_scale_and_other_columns_of_imeta(tmp_path: Path) -> None:
    head = f"{IMETA},goalpost_lower,goalpost_upper,goalpost_scale,ScaleFactor,Denominator,Remark"
    tree = imeta(
        tmp_path,
        "1,x,T,-1,0.5,Indicator,0,10,1,1000,D,old",
        "1,y,T,1,0.5,Indicator,,,,,,",
        "2,T,,1,1,Aggregate,,,,,,",
        ",D,,,,Denominator,,,,,,",
        head=head,
    )
    x = tree.indicator["x"]
    assert (x.lower, x.upper, x.per, x.denominator, x.weight) == (0.0, 10.0, 1000.0, "D", 0.5)
    assert x.name_en == "x"


def test_headings_in_any_case_and_a_judgement_beside(tmp_path: Path) -> None:
    table = tmp_path / "meta.csv"
    table.write_text(
        "LEVEL,icode,PARENT,direction,weight,TYPE\n1,x,T,1,,Indicator\n1,y,T,1,,Indicator\n2,T,,1,,Aggregate\n"
    )
    judged = tmp_path / "judged.toml"
    body = 'group = "T"\nitems = ["x", "y"]\nrule = "ratio"\nscores = [1, 2]\nwho = "we"\nassumed = true\n'
    judged.write_text(f"[[judgement]]\n{body}")
    tree = load_framework(table, judged)
    assert tree.judgement["T"].scores == (1.0, 2.0)
    assert tree.id == "meta"


def test_figures_that_are_not_held_at_goalposts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FrameworkError, match="held at it"):
        imeta(
            tmp_path,
            "1,x,T,1,1,Indicator,0,10,FALSE",
            "2,T,,1,1,Aggregate,,,",
            head=f"{IMETA},goalpost_lower,goalpost_upper,goalpost_trunc2posts",
        )


def test_denominators_and_attributes_in_a_flat_table(tmp_path: Path) -> None:
    path = tmp_path / "flat.csv"
    path.write_text(
        "code,parent,name_en,direction,kind,denominator,per,unit\n"
        "t,,Total,,,,,\nx,t,X,1,,d,100,m\nd,,Residents,,denominator,,,persons\nr,,Region,,attribute,,,\n"
    )
    tree = load_framework(path)
    assert (tree.indicator["x"].per, tree.denominator["d"].unit) == (100.0, "persons")
    assert [entry.code for entry in tree.attributes] == ["r"]
