from __future__ import annotations

from decimal import Decimal

import pytest

from target_twilio.client import Listed
from target_twilio.prices import Estimate, Prices, market


def paid(to, price, segments="1", **more):
    fields = {"direction": "outbound-api", "price_unit": "usd", "num_media": "0"}
    return Listed(sid="SM1", to=to, price=price, num_segments=segments, **(fields | more))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+14155550000", "1"),
        ("+18765550000", "1876"),
        ("+79161234567", "7"),
        ("whatsapp:+493012345", "49"),
        ("+35312345678", "353"),
        ("+8801234567", "880"),
        ("messenger:abc", ""),
    ],
)
def test_prices_are_a_countrys(number, expected):
    assert market(number) == expected


def test_a_message_costs_what_the_last_of_its_kind_did():
    prices = Prices(
        [
            paid("+14155550000", "-0.0166", "2"),
            paid("+14155550001", "-0.5"),
            paid("+18765550000", "-0.25"),
            paid("whatsapp:+14155550000", "-0.005"),
            paid("+14155550000", "-0.02", num_media="1"),
            paid("+14155550000", None),
            paid("+493012345678", "0.07", direction="inbound"),
            paid("+333012345678", "much"),
            paid(None, "-1"),
        ]
    )

    def of(to, segments, *, has_media=False):
        return prices.of(to, segments, has_media=has_media)

    assert of("+12125550000", 3) == Estimate(3, Decimal("0.0249"), "USD")
    assert of("+18765550009", 1).price == Decimal("0.25")
    assert of("whatsapp:+12125550000", None).price == Decimal("0.005")
    assert of("+12125550000", None, has_media=True).price == Decimal("0.02")
    assert of("+493012345678", 1) == Estimate(1, None, "")
    assert of("+333012345678", 1).price is None
