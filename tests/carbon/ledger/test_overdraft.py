"""Running balances of a batch: the fast answers against a plain loop over the same movements."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.ledger import overdraft
from carbon.ledger.overdraft import booked_in_order, find_dips, first_overdraft, net_by_key


@st.composite
def batches(draw):
    """Up to five keys, up to forty movements; quantities small, or so large that a float would round their sums."""
    keys = draw(st.integers(2, 5))
    scale = draw(st.sampled_from([1, 2**52 + 1]))
    rows = draw(st.lists(st.tuples(st.integers(0, keys - 1), st.integers(1, keys - 1), st.integers(1, 5)), max_size=40))
    opening = draw(st.lists(st.integers(0, 10), min_size=keys, max_size=keys))
    source = np.array([s for s, _, _ in rows], dtype=np.int64)
    target = np.array([(s + step) % keys for s, step, _ in rows], dtype=np.int64)
    quantity = np.array([q * scale for _, _, q in rows], dtype=np.int64)
    return source, target, quantity, np.array(opening, dtype=np.int64) * scale


def plain_dips(source, target, quantity, opening):
    """Key -> (first row below zero, lowest balance)."""
    balance, dips = opening.tolist(), {}
    for row, (s, t, q) in enumerate(zip(source.tolist(), target.tolist(), quantity.tolist(), strict=True)):
        balance[s] -= q
        balance[t] += q
        if balance[s] < 0:
            first, lowest = dips.get(s, (row, 0))
            dips[s] = (first, min(lowest, balance[s]))
    return dips


@pytest.fixture(params=[1, 3, 1 << 18])
def block(request, monkeypatch):
    """Blocks of so few rows that keys dip in several of them, and the real size."""
    monkeypatch.setattr(overdraft, "_block_rows", lambda keys: request.param)  # noqa: ARG005
    return request.param


@pytest.mark.usefixtures("block")
@given(batch=batches())
def test_dips_are_those_of_a_plain_loop(batch):
    found = find_dips(*batch)
    expected = plain_dips(*batch)
    rows = dict(zip(found.key.tolist(), zip(found.row.tolist(), found.lowest.tolist(), strict=True), strict=True))
    assert rows == expected
    assert first_overdraft(*batch) == min((row for row, _ in expected.values()), default=-1)


@given(batch=batches())
def test_what_is_booked_in_order_never_overdraws_and_nothing_more_is_refused(batch):
    source, target, quantity, opening = batch
    booked = booked_in_order(*batch)
    assert first_overdraft(source[booked], target[booked], quantity[booked], opening) == -1
    for row in np.flatnonzero(~booked):
        tried = booked[: row + 1].copy()
        tried[row] = True
        part = [column[: row + 1][tried] for column in (source, target, quantity)]
        assert first_overdraft(*part, opening) == part[0].size - 1


@given(batch=batches())
def test_what_keys_gain_adds_up_to_nothing(batch):
    source, target, quantity, opening = batch
    gain = net_by_key(source, target, quantity, opening.size)
    expected = [0] * opening.size
    for s, t, q in zip(source.tolist(), target.tolist(), quantity.tolist(), strict=True):
        expected[s] -= q
        expected[t] += q
    assert gain.tolist() == expected
    assert sum(expected) == 0


def test_sums_that_could_overflow_are_refused():
    source, target = np.zeros(3, np.int64), np.ones(3, np.int64)
    with pytest.raises(ValueError, match="expected at most"):
        first_overdraft(source, target, np.full(3, 2**60), np.zeros(2, np.int64))
