"""The workloads of bench_index.py by scikit-criteria 0.10, as its documentation puts them together.

Its decision matrix is made before the clock starts.
"""

import warnings

import skcriteria
from measuring import Array, handed_over, measure_scores
from skcriteria.agg.simple import WeightedSumModel
from skcriteria.agg.topsis import TOPSIS
from skcriteria.pipelines import mkpipe
from skcriteria.preprocessing.invert_objectives import NegateMinimize
from skcriteria.preprocessing.scalers import MinMaxScaler, VectorScaler
from skcriteria.preprocessing.weighters import CRITIC, EntropyWeighter

PIPELINES = {
    "entropy": (
        mkpipe(
            NegateMinimize(),
            MinMaxScaler(target="matrix", criteria_range=(0.01, 1)),
            EntropyWeighter(),
            WeightedSumModel(),
        ),
        "score",
    ),
    "topsis": (mkpipe(CRITIC(), VectorScaler(target="matrix"), TOPSIS()), "similarity"),
}


def main() -> None:
    # It warns that some objectives are to be minimised, which is what is asked of it here.
    warnings.filterwarnings("ignore")
    workload, folder, matrix, directions = handed_over()
    decision = skcriteria.mkdm(matrix, directions.astype(int).tolist())
    pipeline, score = PIPELINES[workload]

    def work() -> tuple[Array, Array]:
        result = pipeline.evaluate(decision)
        return result.extra_[score], result.rank_

    measure_scores(work, folder)


if __name__ == "__main__":
    main()
