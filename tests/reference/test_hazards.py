"""Every hazard ends where the gateway's own book says, and the page shows what was played."""

from pathlib import Path

import pytest
from tests.reference.hazards import HAZARDS, Hazard, page, play_ours

PAGE = Path(__file__).parents[2] / "docs" / "ibkr-hazards.md"


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard.name)
def test_the_adapter_ends_with_the_truth(hazard: Hazard) -> None:
    believed, truth = play_ours(hazard)
    assert believed == truth


def test_the_page_shows_what_both_clients_believe_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run `python -m tests.reference.hazards > docs/ibkr-hazards.md`"
    )
