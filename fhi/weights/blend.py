"""One vector of weights from several.

Arrays in, arrays out. Knows nothing of where the vectors come from.
"""

import numpy as np

from fhi.arrays import Array
from fhi.errors import WeightError


def blend_weights(vectors: Array, shares: Array) -> Array:
    """Weighted mean of weight vectors, each scaled to sum 1 first.

    vectors: (methods, children), not negative, NaN for a child that a method gives no weight; shares: (methods,),
    positive, any sum. A child without weight in one vector has none in the blend (NaN), and every vector is scaled
    over the children that are left. Returns (children,), sum 1. Raises WeightError for shapes that do not fit, a
    negative weight or share, or a vector of which nothing is left.
    """
    if vectors.ndim != 2 or shares.shape != (len(vectors),) or len(vectors) == 0:
        raise WeightError(f"found vectors {vectors.shape} and shares {shares.shape}; expected one share a vector")
    if not (np.isfinite(shares) & (shares > 0)).all() or (vectors < 0).any():
        raise WeightError("found a negative weight or a share that is not positive; expected none")
    left = ~np.isnan(vectors).any(axis=0)
    sums = vectors[:, left].sum(axis=1)
    if not (sums > 0).all():
        raise WeightError(
            f"vector {int(np.argmin(sums)) + 1} has no weight on the children that all vectors weigh; expected some"
        )
    blended = np.full(vectors.shape[1], np.nan)
    blended[left] = (shares / shares.sum()) @ (vectors[:, left] / sums[:, None])
    return blended
