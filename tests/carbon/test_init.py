import subprocess
import sys

import pytest

import carbon


def test_importing_the_package_loads_no_heavy_library():
    code = (
        "import carbon, sys; "
        "print([name for name in ('polars', 'sqlmodel', 'sqlalchemy', 'deltalake', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    for name in carbon.__all__:
        assert getattr(carbon, name) is not None
    assert set(carbon.__all__) <= set(dir(carbon))
    assert carbon.load_trades.__module__ == "carbon.loading"


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = carbon.nothing
