"""The options of commands that vary choices: what is varied, among which options, and how far.

Knows words of the command line. Knows no analysis.
"""

from typing import Annotated

import typer

ChoicesOption = Annotated[
    str,
    typer.Option(
        "--choices",
        help="What is varied, by comma: weights, normalisation, aggregation, imputation, treatment, left_out "
        "(one indicator, or none), revision (figures with a relative error).",
    ),
]
OtherOptions = Annotated[
    list[str] | None,
    typer.Option("--options", help="Other options of a choice: normalisation=minmax,zscore. More than once."),
]
WeightsOption = Annotated[
    str, typer.Option("--weights", help="dirichlet (around the judgements), uniform, flat, experts or stated.")
]
SpreadOption = Annotated[
    float, typer.Option("--spread", help="Relative deviation of weights (dirichlet), or greatest one (uniform).")
]
ErrorOption = Annotated[float, typer.Option("--error", help="Relative error of figures, for revision.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=2**53, help="The same seed gives the same rows.")]
