"""Every broker behind the order port keeps the same contract."""

import pytest

from tests.contract.port import PortContract, Stage
from tests.kit.stages import GatewayStage, PaperStage


class TestPaper(PortContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return PaperStage()


class TestIbkrOnTheGateway(PortContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return GatewayStage()
