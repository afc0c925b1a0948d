import math

import numpy as np
import pytest

from colorlib.study import log_fit


def test_a_known_line_is_found_and_inverted():
    x = np.array([1, 2, 8, 64])
    fit = log_fit.fit_line(x, [20.0, 20.5, 21.5, 23.0])
    assert fit == {k: pytest.approx(v, abs=1e-9) for k, v in
                   {"start": 20.0, "gain": 0.5, "residual": 0.0}.items()}  # fmt: skip
    assert log_fit.needed(fit, 22.0) == pytest.approx(16)
    assert log_fit.value_at(fit, np.array([4.0, 32.0])) == pytest.approx([21.0, 22.5])


def test_what_falls_reaches_nothing_higher():
    assert math.isinf(log_fit.needed(log_fit.fit_line([1, 2, 4], [3, 2, 1]), 4))


def test_a_scatter_has_its_residual():
    # the line through three points, two of them 1 off and -1 off at equal distance
    fit = log_fit.fit_line([1, 2, 4], [0.0, 3.0, 0.0])
    assert fit["gain"] == pytest.approx(0, abs=1e-9) and fit["start"] == pytest.approx(1.0)
    assert fit["residual"] == pytest.approx(math.sqrt((1 + 4 + 1) / 3))


def test_one_point_is_too_few():
    with pytest.raises(ValueError, match="got 1 and 1 numbers"):
        log_fit.fit_line([1], [1])
