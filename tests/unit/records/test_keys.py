"""What records are known again by."""

from __future__ import annotations

from tap_twilio.records.keys import lacking


def test_records_that_lack_a_field():
    rows = [{"sid": "X"}, {"sid": None}, {"sid": "", "price": None}, {"sid": "Y", "price": 0}]

    assert lacking(rows, ["sid"]) == [1]
    assert lacking(rows, ["price", "sid"]) == [0, 1, 2]
    assert lacking(rows, ["nothing"]) == [0, 1, 2, 3]
    assert lacking(rows, []) == []
    assert lacking([], ["sid"]) == []
