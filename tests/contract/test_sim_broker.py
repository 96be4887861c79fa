"""The embedded simulated broker keeps the contract of all brokers."""

import numpy as np
import pytest

from deadband.brokers.sim import SimBroker
from deadband.core.config import ExecutionSettings
from deadband.core.costs import CostSettings
from tests.contract.broker import CASH, HALTED, NAMES, PARTICIPATION, UNBORROWED, BrokerContract


def sim_broker() -> SimBroker:
    return SimBroker(
        NAMES,
        ExecutionSettings(capital_usd=CASH, max_fill_participation=PARTICIPATION),
        CostSettings(),
        shortable=np.array([symbol != UNBORROWED for symbol in NAMES.symbols]),
        halted=frozenset({HALTED}),
    )


class TestSimBroker(BrokerContract):
    @pytest.fixture
    def broker(self) -> SimBroker:
        return sim_broker()

    @pytest.fixture
    def twin(self) -> SimBroker:
        return sim_broker()
