import math

import numpy as np
import pytest

from colorlib import scaling


def test_a_known_law_is_found_and_inverted():
    x = np.array([100, 1000, 10_000, 45_000])
    fit = scaling.saturating(x, 24.5 - 12 * x**-0.4)
    assert fit["best"] == pytest.approx(24.5, abs=1e-3)
    assert fit["loss"] == pytest.approx(12, rel=1e-3)
    assert fit["power"] == pytest.approx(0.4) and fit["residual"] < 1e-6 and fit["determined"]
    assert scaling.needed(fit, float(scaling.at(fit, 5000.0))) == pytest.approx(5000, rel=1e-6)
    assert math.isinf(scaling.needed(fit, 24.6))


def test_a_straight_line_in_the_logarithm_determines_no_power():
    x = np.array([1, 2, 4, 8])
    fit = scaling.saturating(x, 20 + np.log(x))
    assert fit["power"] == scaling.EXPONENTS[0] and not fit["determined"]
    falling = scaling.saturating(x, 20 - 1 / x**0.5 * -3)
    assert falling["loss"] < 0 and math.isinf(scaling.needed(falling, 19.0))


def test_two_points_are_too_few():
    with pytest.raises(ValueError, match="got 2 points"):
        scaling.saturating([1, 2], [1, 2])
