"""A live cycle sees the account's money, journals it, and grows by no more than it carries."""

from pathlib import Path

from deadband.backtest.replay import replay
from deadband.core.reasons import Code

from ..kit.live import World
from ..kit.tws import fault
from .test_live_day import of_twelve


def codes(of: World) -> list[Code]:
    return [note.code for record in of.records for note in record.plan.notes]


def test_in_a_sane_session_the_account_denies_nothing(tmp_path: Path) -> None:
    of = of_twelve(tmp_path)
    of.live(lambda journal: of.trade(journal, 20))
    told = [record.seen.funds for record in of.records]
    assert all(one is not None and one.is_ready for one in told)
    assert sum(len(record.plan.orders) for record in of.records) > 10
    assert not [code for code in codes(of) if code.startswith("GATE_")]
    assert replay(of.path).differences == ()


def test_while_the_account_is_not_ready_nothing_grows(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, fault("account_not_ready", at="09:50", seconds=1800.0))
    of.live(lambda journal: of.trade(journal, 20))
    unready = [r for r in of.records if r.seen.funds is not None and not r.seen.funds.is_ready]
    assert unready
    assert Code.GATE_FUNDS_UNKNOWN in codes(of)
    for record in unready:
        held = record.seen.portfolio.shares
        for order in record.plan.orders:
            place = record.state.universe.index[order.symbol]
            assert held[place] * order.side.sign < 0, "only what is held is closed"
    assert replay(of.path).differences == ()


def test_an_account_that_others_use_up_lets_nothing_grow(tmp_path: Path) -> None:
    of = of_twelve(tmp_path)
    # As if other programs bought something on the account's margin that is worth nothing.
    account = next(iter(of.host.accounts.values()))
    account.cash_micros = 100_000 * 10**6

    async def work(journal: object) -> None:
        def spent(record: object) -> None:
            if len(of.records) == 2:
                account.cash_micros = -900_000 * 10**6

        await of.trade(journal, 12, also=spent)  # type: ignore[arg-type]

    of.live(work)
    late = [r for r in of.records if r.seen.funds is not None and r.seen.funds.available < 0]
    assert late
    assert Code.GATE_FUNDS in codes(of)
    for record in late:
        held = record.seen.portfolio.shares
        for order in record.plan.orders:
            assert held[record.state.universe.index[order.symbol]] * order.side.sign < 0
    assert replay(of.path).differences == ()
