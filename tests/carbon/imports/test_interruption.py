"""An import that is broken off leaves nothing, and the same file then comes in whole."""

import pytest

from carbon.imports import IMPORTS

FILES = {
    "euets": "registry/eutl_transactions_sample.csv.gz",
    "uk-allocations": "registry/ukets_allocation_table_2021_2026.xlsx",
    "offsets": "offsets/verra_vcus_sample_with_serials.csv.gz",
}
TABLES = ("transaction", "transfer", "account", "instrument", "holding", "block", "piece", "compliance", "kept_table")


class Stop(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("name", FILES)
def test_stopped_at_any_step_nothing_is_left_and_a_second_try_completes(ledger, bring, look, outside_data, name):
    def state():
        counts = [look(ledger, f"SELECT count(*) FROM registry_{table}")[0][0] for table in TABLES]
        return counts, look(ledger, "SELECT max(next_serial) FROM registry_instrument")

    verb, path = IMPORTS[name].load(), outside_data / FILES[name]
    before = state()
    steps: list[int] = []
    for stop_at in (1, 2, 3):

        def progress(done: int, _all: int, stop_at: int = stop_at) -> None:
            steps.append(done)
            if len(steps) == stop_at:
                raise Stop

        steps.clear()
        try:
            bring(ledger, verb, path, progress=progress)
        except Stop:
            assert state() == before
        else:
            # Fewer steps than that: it came in whole, and once more changes nothing.
            assert 0 < len(steps) < stop_at
            break
    after = bring(ledger, verb, path)
    assert after.rows_booked + after.rows_repeated == after.rows_read
    done = state()
    assert done != before
    assert bring(ledger, verb, path).replayed
    assert state() == done
