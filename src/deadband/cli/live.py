"""`run --broker ibkr`: the loop of a real session, from its first connection to its report."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from ..brokers.ibkr.broker import IbkrBroker
from ..brokers.ibkr.clock import LoopClock
from ..brokers.ibkr.contracts import disagreements
from ..brokers.ibkr.history import sweep
from ..brokers.ibkr.settings import LIVE_PORTS, PAPER_PORTS, IbkrSettings, Mode
from ..core.broker import Memory, WriteAhead
from ..core.broker_settings import BrokerSettings
from ..core.errors import BrokerError, ConfigError, DeadbandError
from ..core.events import SessionState
from ..core.session import exchange_day
from ..core.types import CycleRecord
from ..journal.store import JournalWriter
from ..live.adopt import Adopt
from ..live.begin import Beginning, Counter, begin
from ..live.line import Line
from ..live.lookout import Lookout
from ..live.prepare import Prepared, prepare
from ..live.recover import recover
from ..live.rehearsal import FastLoop, patient, read_clock, refuse_live
from ..live.rotation import Pace
from ..live.run import LiveRun
from ..live.trading_days import TradingDays
from ..switch.file import NAME, SwitchFile, open_switch
from .account import skew_fault
from .live_words import NO_DATA, Told, beat_line, clock, cycle_line
from .shell import COLORS, make_console, show

if TYPE_CHECKING:
    from rich.console import Console

    from ..core.config import Settings

PORTS = {7497: "TWS, paper", 4002: "Gateway, paper", 7496: "TWS, live", 4001: "Gateway, live"}
PROBE_S = 0.3
SAME_S = 0.5
"""Signals so near to one another are one: some senders tell a process and its group."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the command line says beside the settings."""

    journal: Path | None = None
    report: Path | None = None
    days: int = 1
    rehearse: float = 0.0
    """Speed of the simulated gateway whose time is taken; 0: this machine's time."""
    as_json: bool = False


@dataclass(slots=True, eq=False)
class Stop:
    """What a signal does: the first one ends the run cleanly, the second one at once."""

    say: Callable[[str, str], None]
    work: asyncio.Task[None] | None = None
    run: LiveRun | None = None
    asked_at: float = -inf

    def ask(self) -> None:
        now = time.monotonic()
        is_first = self.asked_at == -inf
        if not is_first and now - self.asked_at < SAME_S:
            return
        self.asked_at = now
        if self.run is not None and is_first:
            self.say("note", "stopping after what is under way; once more stops at once")
            self.run.stop()
        elif self.work is not None:
            self.work.cancel()


def trade(settings: Settings, options: LiveOptions) -> Path:
    """Trade until the sessions are over or a signal ends it; the journal that was written."""
    console = make_console(stderr=options.as_json)
    say = _sayer(console)
    ibkr = ibkr_settings(settings.broker)
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
    if options.rehearse:
        refuse_live(ibkr)
        wall = read_clock(ibkr, options.rehearse)
        ibkr = patient(ibkr, options.rehearse)
    prepared = prepare(settings, wall())
    for doubt in prepared.lint:
        show(console, doubt.severity, doubt.text)
    for finding in prepared.findings:
        show(console, finding.ailment.severity, str(finding))
    path = options.journal or _folder(settings.broker) / "journal.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(_history_folder(prepared.settings.broker, path), time.time_ns())
    switch = _switch(prepared.settings)
    capital = prepared.settings.execution.capital_usd
    say("", f"deadband · {_named(ibkr)}")
    say("", f"up to {capital:,.0f} USD, journal {path}, kill switch {switch.path}")
    loop = FastLoop(options.rehearse) if options.rehearse else None
    try:
        with (
            _beating(console) as beat,
            asyncio.Runner(loop_factory=(lambda: loop) if loop else None) as runner,
        ):
            speed = options.rehearse or 1.0
            desk = Desk(prepared, ibkr, wall, switch, path, options.days, say, beat, speed)
            runner.run(desk.over())
    except asyncio.CancelledError:
        say("warning", "stopped at once: orders live on at the broker, the next start finds them")
        raise SystemExit(130) from None
    except BaseExceptionGroup as group:
        raise _first_fault(group) from group
    return path


def _named(ibkr: IbkrSettings) -> str:
    mood = "LIVE, REAL MONEY" if ibkr.mode is Mode.LIVE else "paper"
    return f"{ibkr.account} ({mood}) at {ibkr.host}:{ibkr.port}, client {ibkr.client_id}"


def ibkr_settings(broker: BrokerSettings) -> IbkrSettings:
    """The adapter's settings; raises ConfigError where they would trade by mistake."""
    if not broker.account:
        raise ConfigError(
            (
                "which account is traded? Give --account DU1234567, or account in the config's "
                "[broker]. TWS and the Gateway show it.",
            )
        )
    return IbkrSettings(
        account=broker.account,
        host=broker.host,
        port=broker.port,
        client_id=broker.client_id,
        mode=Mode(broker.mode),
        live_confirmation=broker.live_confirmation,
        restart_at=broker.restart_at,
    )


@dataclass(slots=True, eq=False)
class Desk:
    """One process at one account: the parts of its run, and what they say."""

    prepared: Prepared
    ibkr: IbkrSettings
    wall: Callable[[], datetime]
    switch: SwitchFile
    path: Path
    days: int
    say: Callable[[str, str], None]
    beat: Callable[[str], None]
    speed: float = 1.0
    broker: IbkrBroker | None = field(default=None, init=False)

    async def over(self) -> None:
        """Connect, trade the sessions, end; raises BrokerError with the cure."""
        stop = Stop(self.say)
        stop.work = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Where the platform has no such handlers, Ctrl-C cancels at once.
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, stop.ask)
        with JournalWriter(self.path, goes_on=True) as writer:
            told = Told(writer, self.say)
            line = await self._begun(told)
            await self._trade(line, told, stop)

    async def _begun(self, told: Told) -> Line:
        recovered = recover(self.path, exchange_day(self.wall()))
        if recovered is not None:
            cycles, working = recovered.state.cycle, len(recovered.state.working)
            self.say("note", f"going on after cycle {cycles} with {working} orders at work")
        universe, settings = self.prepared.tape.universe, self.prepared.settings
        policy = Adopt(settings.broker.adopt)
        what = Beginning(settings, universe, told, self.wall, recovered, adopt=policy)
        try:
            line = await begin(what, self._counter)
        except BrokerError as fault:
            raise BrokerError(f"{fault}{_elsewhere(self.ibkr, str(fault))}") from fault
        skew = skew_fault(line.broker, self.speed)
        if skew:
            await line.broker.close()
            raise BrokerError(f"nothing is traded: {skew}")
        known = [line.reference.instrument(symbol) for symbol in universe.symbols]
        said = {text for one in known if one is not None for text in disagreements(one)}
        for text in sorted(said):
            self.say("warning", f"hours differ, {text}. The calendar's are traded.")
        return line

    def _counter(self, write_ahead: WriteAhead, memory: Memory) -> Counter:
        self.broker = IbkrBroker(
            self.ibkr,
            LoopClock(lambda: int(self.wall().timestamp() * 1e9)),
            write_ahead,
            memory,
            history_folder=_history_folder(self.prepared.settings.broker, self.path),
        )
        return Counter(self.broker, self.broker.contracts, self.broker.quotes, takes_turns=True)

    async def _trade(self, line: Line, told: Told, stop: Stop) -> None:
        assert self.broker is not None, "a line was begun with it"
        settings = self.prepared.settings
        lookout = Lookout(
            line,
            self.broker.quotes,
            Pace(settings.broker.market_data_lines),
            self.wall,
            self.switch,
            two_sided=settings.optimize.shorts_allowed,
        )
        said = Report(self.say, told, lookout, self.beat)
        run = LiveRun(
            settings, line, self.prepared.scores, self.wall, self.switch, progress=said.cycle
        )
        stop.run = run
        ask = self.broker.history.bars
        measure = self.prepared.measure
        days = TradingDays(
            self.prepared.tape,
            ask,
            lookout,
            measure,
            self.wall,
            lambda text: self.say("note", text),
        )
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(work) for work in (lookout.keep(), said.keep(), days.mend())
            ]
            async with aclosing(days.feeds(run, self.days)) as feeds:
                await run.over(feeds)
            for task in beside:
                task.cancel()


@dataclass(slots=True, eq=False)
class Report:
    """What is said of cycles, and of a market that is not seen."""

    say: Callable[[str, str], None]
    told: Told
    lookout: Lookout
    beat: Callable[[str], None] = field(default=lambda _: None)
    """Takes the line that stands below all others until the next one."""
    was_halted: bool = False
    is_blind: bool = False

    def cycle(self, record: CycleRecord) -> None:
        self.lookout.decided(record)
        self.say("", cycle_line(record, self.told.fills, self.lookout.sight))
        self.told.fills = 0

    async def keep(self) -> None:
        """Say what changes between cycles, until canceled."""
        while True:
            await asyncio.sleep(1.0)
            self._look()

    def _look(self) -> None:
        halted = self.lookout.is_halted
        if halted != self.was_halted:
            now = clock(self.lookout.wall())
            text = "HALTED: working orders are canceled, nothing is sent" if halted else "released"
            self.say("error" if halted else "note", f"{now} kill switch {text}")
        self.was_halted = halted
        feed, sight = self.lookout.feed, self.lookout.sight
        is_open = feed is not None and self.lookout.wall() >= feed.due(1)
        is_ready = self.lookout.line.broker.state is SessionState.READY
        is_blind = is_open and is_ready and sight.lines > 0 and sight.live == 0
        if is_blind and not self.is_blind:
            why = f" ({self.told.why_no_quote})" if self.told.why_no_quote else ""
            self.say("error", NO_DATA.format(why=why))
        self.is_blind = is_blind
        if feed is not None:
            self.beat(beat_line(self.lookout.wall(), feed, sight))


def _switch(settings: Settings) -> SwitchFile:
    """The kill switch's file, made where there is none; refused where it cannot be obeyed."""
    path = Path(settings.gate.switch_file or NAME)
    switch = open_switch(path, settings.execution.account)
    fault = switch(datetime.now(UTC)).fault
    if fault:
        raise ConfigError(
            (
                f"the kill switch cannot be obeyed: {fault}. Mend or remove the file, or name one "
                "for this account in gate.switch_file.",
            )
        )
    return switch


def _folder(broker: BrokerSettings) -> Path:
    """One place an account, so that the next start finds the journal and goes on with it."""
    return Path("runs") / f"live-{broker.account}"


def _history_folder(broker: BrokerSettings, journal: Path) -> Path:
    return Path(broker.history_folder) if broker.history_folder else journal.parent / "history"


def report_folder(settings: Settings, options: LiveOptions) -> Path:
    return options.report or _folder(settings.broker)


@contextmanager
def _beating(console: Console) -> Iterator[Callable[[str], None]]:
    """A line that moves, where somebody may be looking at it."""
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield status.update


def _sayer(console: Console) -> Callable[[str, str], None]:
    from rich.text import Text

    def say(severity: str, text: str) -> None:
        # In one piece: what is printed while the moving line stands is a line of its own.
        word = (f"{severity} ", COLORS[severity]) if severity else ""
        console.print(Text.assemble(word, text), soft_wrap=True)

    return say


def _elsewhere(ibkr: IbkrSettings, said: str) -> str:
    """Where else on that host something listens, when nothing does on the port named."""
    if "does not answer" not in said:
        return ""
    wanted = PAPER_PORTS if ibkr.mode is Mode.PAPER else LIVE_PORTS
    others = sorted(PORTS.keys() - {ibkr.port}, key=lambda port: (port not in wanted, port))
    found = [port for port in others if _listens(ibkr.host, port)]
    if not found:
        return " Nothing listens on 7497, 4002, 7496 or 4001 either."
    listed = ", ".join(f"{port} ({PORTS[port]})" for port in found)
    return f" Something listens on {listed}: is that the one? Give --port {found[0]}."


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), PROBE_S):
            return True
    except OSError:
        return False


def _first_fault(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The fault that ended the run; one of deadband's own before any other."""
    leaves: list[BaseException] = []
    rest: list[BaseException] = [group]
    while rest:
        one = rest.pop(0)
        if isinstance(one, BaseExceptionGroup):
            rest += one.exceptions
        else:
            leaves.append(one)
    return next((one for one in leaves if isinstance(one, DeadbandError)), leaves[0])
