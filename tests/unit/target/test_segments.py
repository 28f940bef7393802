from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.segments import count_segments
from target_twilio import segments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # The 153 places of a part hold 76 letters of two, and one is left over.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("a" + "€" * 152, 2),
        ("é" * 160, 1),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("a" * 159 + "ж", 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        # 67 places hold 33 letters of two.
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("\ud800", 1),
    ],
)
def test_texts_are_billed_by_their_letters(text, expected):
    assert segments.count(text) == expected


@given(st.text(st.sampled_from("aé€[ж😀\n"), max_size=700))
def test_it_counts_as_the_simulated_twilio_does(text):
    assert segments.count(text) == count_segments(text)
