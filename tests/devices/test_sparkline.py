from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from forgelab.devices.sparkline import HEIGHT, WIDTH, draw


def test_a_line_goes_from_left_to_right_and_up_with_the_values() -> None:
    drawn = draw([0.0, 50.0, 100.0], 0.0, 100.0)
    assert drawn.line == "M0.0 46.0L144.0 24.0L288.0 2.0"
    assert drawn.area == "M0.0 48L0.0 46.0L144.0 24.0L288.0 2.0L288.0 48Z"


def test_a_gap_stays_a_gap() -> None:
    drawn = draw([1.0, 1.0, None, None, 1.0, 1.0], 0.0, 2.0)
    assert drawn.line.count("M") == drawn.area.count("M") == 2
    assert drawn.line.count("L") == 2


def test_a_value_between_gaps_is_a_dot() -> None:
    drawn = draw([None, 1.0, None], 0.0, 2.0)
    assert (drawn.line, drawn.area) == ("M144.0 24.0h.01", "")


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([], 0, 1).line == draw([None, None], 0, 1).line == ""
    assert draw([5.0], 0.0, 0.0).line == "M0.0 46.0h.01"


@given(
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)
)
def test_whatever_was_measured_the_drawing_stays_within_its_frame(values, lowest, highest) -> None:
    for drawn in (draw(values, lowest, highest).line, draw(values, lowest, highest).area):
        numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", drawn.replace("h.01", ""))]
        assert all(0 <= x <= WIDTH for x in numbers[::2])
        assert all(0 <= y <= HEIGHT for y in numbers[1::2])
