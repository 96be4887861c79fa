"""docs/costs.md: its example is a configuration, and its figures are the defaults."""

import re
from pathlib import Path

from deadband.core.costs import CostSettings
from deadband.core.lint import lint, refuse_errors
from deadband.core.settings import parse_settings

PAGE = (Path(__file__).parents[2] / "docs" / "costs.md").read_text(encoding="utf-8")
COSTS = CostSettings()


def test_the_example_is_a_configuration() -> None:
    [example] = re.findall(r"```toml costs\n(.*?)```", PAGE, flags=re.DOTALL)
    settings = parse_settings(example, {})
    refuse_errors(lint(settings))
    assert settings.costs.plan == "tiered"
    assert settings.costs.borrow_names == ("GME=12.5",)
    assert settings.costs.financing and settings.costs.credit


def test_the_price_lists_on_the_page_are_the_defaults() -> None:
    fixed = f"{COSTS.commission_per_share:g} USD a share, at least {COSTS.commission_min:g} USD"
    first, *others = COSTS.tier_per_share
    tiers = f"{first:g} USD a share up to {COSTS.tier_shares[0]:,.0f} shares a month, then "
    tiers += ", ".join(f"{rate:g}" for rate in others) + f"; at least {COSTS.tier_min:g} USD"
    assert f"{fixed}, at most {COSTS.commission_max:.0%}".replace("%", " %") in PAGE
    assert tiers in PAGE
    assert f"{COSTS.remove_per_share:g} USD a share that takes" in PAGE
    assert f"a rebate of {-COSTS.add_per_share:g} for one that adds" in PAGE
    assert f"{COSTS.clearing_per_share:g} USD a share" in PAGE
    assert f"{COSTS.pass_through * 100:.4f} %" in PAGE
    assert f"{COSTS.sec_per_million_usd:.2f} USD a million" in PAGE
    assert f"{COSTS.taf_per_share:g} USD a share, at most {COSTS.taf_max:g} USD" in PAGE


def test_interest_on_the_page_is_by_the_defaults() -> None:
    spreads = [f"{spread:g} %" for spread in COSTS.debit_spread_pct]
    assert [PAGE.count(spread) >= 1 for spread in spreads] == [True] * 4
    assert f"what passes {COSTS.credit_free_usd:,.0f} USD earns the benchmark" in PAGE
    assert f"less {COSTS.credit_spread_pct:g} %" in PAGE
