"""The roll call counts a vote as lost where the merge took it, and nowhere else."""

import numpy as np
import pytest

from deadband.backtest.roll_call import RollCall, take_roll
from deadband.core.config import SignalSettings
from deadband.core.seen import Scores
from deadband.core.types import RiskModel
from deadband.signals.merge import merge
from tests import kit

NAMES = kit.universe(3)
RISK = RiskModel(30.0, None, None, None, None, np.zeros(3, dtype=np.int16), "")
OLDEST_S = SignalSettings().max_score_age_min * 60.0


@pytest.mark.parametrize("age_s", [OLDEST_S - 1.0, OLDEST_S, OLDEST_S + 1.0])
def test_a_score_is_stale_to_the_roll_call_when_it_is_to_the_merge(age_s: float) -> None:
    scores = Scores(
        universe=NAMES,
        models=("m",),
        unit=("z",),
        horizon_min=(30.0,),
        value=np.ones((1, 3)),
        age_s=np.full((1, 3), age_s),
        defect=np.zeros((1, 3), dtype=np.int16),
    )
    seen = kit.seen(NAMES, scores=scores)
    signal = merge(seen, kit.state(NAMES), RISK, SignalSettings())
    calls: dict[str, RollCall] = {}
    take_roll(calls, scores, NAMES.traded, OLDEST_S)
    assert calls["m"].votes_lost.total() == np.count_nonzero(signal.defect)
    assert calls["m"].silent == (signal.defect != 0).all()
