"""The one array type of this package's arithmetic: 64-bit floats, NaN for missing (null at every border)."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
