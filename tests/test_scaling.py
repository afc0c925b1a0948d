import math

import numpy as np
import pytest

from colorlib import scaling


def test_a_known_law_is_found_and_inverted():
    x = np.array([100, 1000, 10_000, 45_000])
    fit = scaling.saturating(x, 24.5 - 12 * x**-0.4)
    assert fit["best"] == pytest.approx(24.5, abs=1e-3)
    assert fit["loss"] == pytest.approx(12, rel=1e-3)
    assert fit["power"] == pytest.approx(0.4) and fit["residual"] < 1e-6
    assert scaling.needed(fit, float(scaling.at(fit, 5000.0))) == pytest.approx(5000, rel=1e-6)
    assert math.isinf(scaling.needed(fit, 24.6))


def test_two_points_are_too_few():
    with pytest.raises(ValueError, match="got 2 points"):
        scaling.saturating([1, 2], [1, 2])
