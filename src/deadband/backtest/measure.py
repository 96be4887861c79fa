"""Features for the models of a run: earlier sessions are folded first, then each bar as it ends."""

from __future__ import annotations

from dataclasses import dataclass

from .. import cycle
from ..core.bars import SessionBars
from ..core.features import Features
from ..core.ports import Tape

WARM_UP_SESSIONS = 60
"""Three times what the slowest feature, the usual volume of a time of day, remembers."""


@dataclass(slots=True, eq=False)
class Measure:
    """What the bars that have ended left behind; nothing is measured where no model asks."""

    tape: Tape
    needs: tuple[str, ...]
    _state: cycle.FeatureState | None = None

    def at(self, day: SessionBars, k: int) -> Features | None:
        """The features that are needed, when the k-th bar of a session has ended."""
        if not self.needs:
            return None
        state = self._state or self._warmed(day)
        begun = state.session is not None and state.session.day == day.session.day
        for ended in range(state.k + 1 if begun else 1, k + 1):
            state = cycle.observe(state, day.bar(ended), day.session)
        self._state = state
        known = cycle.measurable(self.tape.bar_min)
        return cycle.read(state, tuple(need for need in self.needs if need in known))

    def _warmed(self, day: SessionBars) -> cycle.FeatureState:
        state = cycle.first_features(self.tape.universe, self.tape.bar_min, self.needs)
        for session, bar in self.tape.bars_before(day.session, WARM_UP_SESSIONS):
            state = cycle.observe(state, bar, session)
        return state
