"""The closed form of Almgren and Chriss's schedule against a numerical optimum of its objective."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import solveh_banded
from tests.kit.parents import parent

from deadband.core.tactics import Tactics
from deadband.execute.algorithms.arrival import DAY_NS, ETA, traded, urgency

STEPS = 2_000


def numerical(bend_squared: float) -> np.ndarray:
    """x(t)/X on a grid of [0, 1] that minimizes Σ (Δx)²/h + (κT)² Σ x² h: first-order conditions.

    Independent of the closed form: a banded linear system of the discretized objective.
    """
    h = 1.0 / STEPS
    inner = STEPS - 1
    bands = np.zeros((2, inner))
    bands[1] = 2.0 / h + bend_squared * h
    bands[0, 1:] = -1.0 / h
    right = np.zeros(inner)
    right[0] = 1.0 / h
    return np.concatenate([[1.0], solveh_banded(bands, right), [0.0]])


@pytest.mark.parametrize("bend", [0.0, 0.3, 1.0, 3.0, 10.0, 30.0])
def test_the_closed_form_is_the_optimum(bend: float) -> None:
    left = numerical(bend**2)
    closed = np.array([1.0 - traded(k / STEPS, bend) for k in range(STEPS + 1)])
    assert np.abs(left - closed).max() < 2e-5 * (1.0 + bend**2)


@pytest.mark.parametrize("risk_aversion", [1e-7, 1e-6, 1e-5])
def test_kappa_balances_impact_and_variance_of_the_cost_in_dollars(risk_aversion: float) -> None:
    """The objective in USD, with prices, volumes and σ in it, is least along the schedule."""
    made = replace(parent(seconds=3600), tactics=Tactics(risk_aversion=risk_aversion))
    price, sigma, adv = made.order.arrival, made.sigma_day, made.adv
    days, shares = (made.deadline - made.start) / DAY_NS, 50_000.0
    h = days / STEPS

    def dollars(left: np.ndarray) -> float:
        rate = -np.diff(left) * shares / h
        impact = float(np.sum(price * ETA * sigma * rate**2 / adv) * h)
        held = 0.5 * (left[1:] ** 2 + left[:-1] ** 2) * shares**2
        return impact + risk_aversion * float(np.sum(price**2 * sigma**2 * held) * h)

    bend = urgency(made)
    grid = np.linspace(0.0, 1.0, STEPS + 1)
    best = np.array([1.0 - traded(u, bend) for u in grid])
    least = dollars(best)
    for bump in (np.sin(np.pi * grid), np.sin(2 * np.pi * grid), grid * (1 - grid) ** 4):
        for size in (0.02, -0.02):
            assert dollars(best + size * bump) > least


def test_no_urgency_overflows() -> None:
    assert traded(0.5, 5_000.0) == 1.0
    assert traded(0.0, 5_000.0) == 0.0
    assert [traded(u, 1e-9) for u in (0.0, 0.25, 1.0)] == [0.0, 0.25, 1.0]
