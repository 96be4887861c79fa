"""What would trade by mistake is refused before a byte is sent."""

import pytest

from deadband.brokers.ibkr.settings import IbkrSettings, Mode, account_fault
from deadband.core.errors import ConfigError


def test_paper_needs_no_more_than_its_account() -> None:
    settings = IbkrSettings("DU1234567")
    assert (settings.mode, settings.port) == (Mode.PAPER, 4002)


def test_live_needs_its_account_typed_twice() -> None:
    live = IbkrSettings("U7654321", port=4001, mode=Mode.LIVE, live_confirmation="U7654321")
    assert live.mode is Mode.LIVE


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"account": "U7654321"}, r"U7654321 is live, the mode is paper"),
        ({"mode": Mode.LIVE, "port": 4001}, r"DU1234567 is paper, the mode is live"),
        ({"account": "X1"}, r"neither DU..., paper, nor U..., live"),
        ({"port": 7496}, r"port 7496 is the other kind's"),
        ({"port": 4001}, r"port 4001 is the other kind's"),
        (
            {"account": "U7654321", "mode": Mode.LIVE, "port": 4002, "live_confirmation": "U1"},
            r"(?s)port 4002 is the other kind's.*live trading of U7654321 is not confirmed",
        ),
        ({"messages_per_s": 45.0}, r"45 and burst 8 may send more than IBKR's 50"),
        ({"silence_s": 4.0}, r"silence_s 4 is not longer than heartbeat_s 4"),
    ],
)
def test_every_mistake_is_named_with_its_cure(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        IbkrSettings(**{"account": "DU1234567", **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("managed", [(), ("DU7654321",), ("DU1234567", "DU7654321")])
def test_a_gateway_of_another_account_is_refused(managed: tuple[str, ...]) -> None:
    settings = IbkrSettings("DU1234567")
    assert account_fault(settings, ("DU1234567",)) == ""
    assert "DU1234567 alone is to be traded" in account_fault(settings, managed)
