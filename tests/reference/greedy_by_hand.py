"""The greedy engine once more, slow and plain, written from SEMANTICS §1 to §4 alone.

One function per rule, lists and floats only; nothing here imports the engine it judges.
Weights are fractions of NAV, z is in σ, `bps` is one-way cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import fsum, inf
from statistics import median

EPS = 1e-12
CROSSABLE = ("NET", "BETA", "SECTOR", "SECTOR_GROSS")


def at_least(x: float, threshold: float) -> bool:
    """Everywhere, x ≥ τ means x > τ − 1e-12."""
    return x > threshold - EPS


def sign(x: float) -> int:
    return (x > 0) - (x < 0)


@dataclass
class Rules:
    """The numbers of the mandate, under the names SEMANTICS gives them."""

    gamma: float = 0.05
    tau_U: float = 0.0
    gross: float = 1.5
    net: float = 0.3
    cap: float = 0.1
    sector: float = 0.3
    sector_gross: float = inf
    beta: float = 0.05
    turnover: float = 0.2
    turnover_name: float = 0.05
    tau_name: float = 0.005
    K: int = 20
    K_buy: int = 18
    K_sell: int = 24
    K_short: int = 0
    z_keep: float = 0.8
    z_cut: float = 0.2
    delta_z_min: float = 0.25
    k_ATR: float = 1.2
    Tmax_min: float = 120.0
    buffer: float = 0.03
    repair_tolerance: float = 5e-4
    hedge_cap: float = 0.3
    weighting: str = "equal"

    def k(self, side: int) -> int:
        return self.K if side > 0 else self.K_short

    def k_buy(self, side: int) -> int:
        if side > 0:
            return self.K_buy
        return max(1, round(self.K_short * self.K_buy / self.K))

    def k_sell(self, side: int) -> int:
        if side > 0:
            return self.K_sell
        return max(self.K_short, round(self.K_short * self.K_sell / self.K))

    def budget(self, side: int) -> float:
        if self.K_short > 0:
            return (1 - self.buffer) * self.gross / 2
        return (1 - self.buffer) * min(self.gross, self.net) if side > 0 else 0.0


@dataclass
class Names:
    """What is known of each name; a list that is None was not given."""

    symbols: list[str]
    z: list[float]
    bps: list[float]
    current: list[float]
    sigma: list[float] | None = None
    sector: list[str] | None = None
    beta: list[float] | None = None
    pnl_bps: list[float] | None = None
    atr_pct: list[float] | None = None
    holding_min: list[float] | None = None
    frozen: list[bool] | None = None
    scored: list[bool] | None = None
    hedge: int = -1


@dataclass
class Day:
    """A decision being made: weights so far, codes, and what was used up."""

    rules: Rules
    names: Names
    w: list[float]
    code: list[str] = field(default_factory=list)
    before_buys: list[float] = field(default_factory=list)
    turnover: float = 0.0
    was_cut: set[int] = field(default_factory=set)
    barred: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)
    draining: set[int] = field(default_factory=set)
    parts: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.w)

    def sides(self) -> tuple[int, ...]:
        return (1, -1) if self.rules.K_short > 0 else (1,)

    def frozen(self, i: int) -> bool:
        return bool(self.names.frozen and self.names.frozen[i])

    def scale(self, i: int) -> float:
        if self.names.sigma is None:
            return 1.0
        return self.names.sigma[i] / median(self.names.sigma)

    def edge(self, i: int) -> float:
        """A hedge is no bet: it has none."""
        return 0.0 if i == self.names.hedge else self.scale(i) * self.names.z[i]

    def cost(self, i: int) -> float:
        return self.rules.gamma * self.names.bps[i]

    def beta(self, i: int) -> float:
        return self.names.beta[i] if self.names.beta is not None else 0.0

    def ranked(self, i: int) -> bool:
        """Has a score, and is not the hedge."""
        return i != self.names.hedge and (self.names.scored is None or self.names.scored[i])

    def ranking(self, side: int) -> list[int]:
        """Rank 1 is the highest side·z, ties by symbol; the hedge is never ranked."""
        ranked = [i for i in range(self.n) if self.ranked(i)]
        return sorted(ranked, key=lambda i: (-side * self.names.z[i], self.names.symbols[i]))

    def rank(self, i: int, side: int) -> int:
        return self.ranking(side).index(i) + 1

    def trade(self, i: int, delta: float, code: str) -> None:
        """Move one weight; what is left below 1e-12 was meant to be nothing."""
        self.turnover += abs(delta)
        self.w[i] += delta
        if abs(self.w[i]) < EPS:
            self.w[i] = 0.0
        part = self.parts.setdefault(i, {})
        part[code] = part.get(code, 0.0) + abs(delta)

    def held(self, side: int) -> list[int]:
        return [i for i in range(self.n) if i != self.names.hedge and sign(self.w[i]) == side]


# --- limits -----------------------------------------------------------------------------------


def rows(day: Day, w: list[float]) -> dict[str, list[float]]:
    """Each exposure limit as coefficients of the weights; GROSS ones follow the signs of `w`."""
    n = range(day.n)
    table: dict[str, list[float]] = {}
    sectors = day.names.sector or [""] * day.n
    for k in sorted(set(sectors) - {""}):
        table[f"SECTOR:{k}"] = [1.0 if sectors[i] == k else 0.0 for i in n]
        table[f"SECTOR_GROSS:{k}"] = [float(sign(w[i])) if sectors[i] == k else 0.0 for i in n]
    if day.names.beta is not None:
        table["BETA"] = list(day.names.beta)
    table["NET"] = [1.0] * day.n
    table["GROSS"] = [float(sign(x)) for x in w]
    return table


def uses(day: Day, w: list[float]) -> dict[str, float]:
    """What a book uses of each limit, signed."""
    return {
        limit: fsum(c * x for c, x in zip(row, w, strict=True))
        for limit, row in rows(day, w).items()
    }


def bounds(day: Day) -> dict[str, float]:
    """Each limit of this cycle: the mandate, widened for frozen names and passive breaches."""
    r = day.rules
    mandate = {
        "GROSS": r.gross,
        "NET": r.net,
        "BETA": r.beta,
        "SECTOR": r.sector,
        "SECTOR_GROSS": r.sector_gross,
    }
    now = uses(day, day.names.current)
    stuck = uses(day, [x if day.frozen(i) else 0.0 for i, x in enumerate(day.names.current)])
    widened = {}
    for limit in now:
        bound = mandate[limit.partition(":")[0]]
        if bound < abs(now[limit]) <= bound + r.repair_tolerance:
            bound = abs(now[limit])
        widened[limit] = max(bound, abs(stuck[limit]))
    return widened


def cap_of(day: Day, i: int) -> float:
    return day.rules.hedge_cap if i == day.names.hedge else day.rules.cap


def name_box(day: Day, i: int) -> tuple[float, float]:
    """The box of one weight: its cap, a passive breach of it, or the weight of a frozen name."""
    cap, current = cap_of(day, i), day.names.current[i]
    shorts = day.rules.K_short > 0 or i == day.names.hedge
    low, high = (-cap if shorts else 0.0), cap
    if day.frozen(i) or cap < abs(current) <= cap + day.rules.repair_tolerance:
        low, high = min(low, current), max(high, current)
    return low, high


def broken(value: float, bound: float) -> bool:
    return abs(value) > bound + EPS * (1 + bound)


def limits_that_bind(day: Day, *, beta: bool) -> list[str]:
    """In the order of repair: SECTOR, BETA, NET, GROSS."""
    return [limit for limit in rows(day, day.w) if beta or limit != "BETA"]


def headroom(day: Day, moves: dict[int, float]) -> dict[str, float]:
    """How many units of `moves` (name → signed weight per unit) each exposure limit allows."""
    room = {}
    limit_of, used = bounds(day), uses(day, day.w)
    # A weight that leaves zero adds to gross whichever way it goes.
    toward = [x if x else float(sign(moves.get(i, 0.0))) for i, x in enumerate(day.w)]
    row = rows(day, toward)
    for limit in limits_that_bind(day, beta=day.names.hedge not in moves):
        slope = fsum(row[limit][i] * unit for i, unit in moves.items())
        if slope:
            taken = hedge_could_take(day, sign(slope)) if limit == "BETA" else 0.0
            ahead = limit_of[limit] + taken - sign(slope) * used[limit]
            room[limit] = max(0.0, ahead) / abs(slope)
    return room


def hedge_could_take(day: Day, way: int) -> float:
    """How much beta of one sign the hedge could still take over, inside its own box."""
    h = day.names.hedge
    if h < 0 or day.names.beta is None or day.frozen(h):
        return 0.0
    low, high = name_box(day, h)
    return max(0.0, -way * day.beta(h) * (low - day.w[h]), -way * day.beta(h) * (high - day.w[h]))


def turnover_room(day: Day, moves: dict[int, float]) -> dict[str, float]:
    """What TURNOVER_NAME leaves each mover, and TURNOVER all of them."""
    moved = [abs(day.w[i] - day.names.current[i]) for i in moves]
    return {
        "TURNOVER_NAME": max(0.0, day.rules.turnover_name - max(moved)),
        "TURNOVER": max(0.0, day.rules.turnover - day.turnover) / len(moves),
    }


# --- 1. cut -----------------------------------------------------------------------------------


def cut_of(day: Day, i: int) -> str:
    """The first cut rule that fires for a held name, or nothing."""
    r, n = day.rules, day.names
    side = sign(day.w[i])
    z = side * n.z[i]
    scored = day.ranked(i)
    if scored and day.rank(i, side) > r.k_sell(side) and not at_least(z, r.z_cut):
        return "CUT_SCORE"
    if n.pnl_bps is not None and n.atr_pct is not None:
        if not at_least(n.pnl_bps[i], -r.k_ATR * n.atr_pct[i] * 100):
            return "CUT_LOSER"
    if n.holding_min is not None and scored:
        if n.holding_min[i] > r.Tmax_min and not at_least(abs(z), r.z_cut):
            return "CUT_DEAD_MONEY"
    return ""


def cut(day: Day) -> None:
    """Sell what a rule fires for; a frozen name stays and says that it may not trade."""
    fired = {i: cut_of(day, i) for i in range(day.n) if day.w[i] != 0 and i != day.names.hedge}
    for i, code in fired.items():
        if code and day.frozen(i):
            day.failed[i] = "PERMIT"
            day.barred.add(i)
        elif code:
            day.trade(i, -day.w[i], code)
            day.barred.add(i)


# --- 2. trim ----------------------------------------------------------------------------------


def trim_names(day: Day) -> None:
    for i in range(day.n):
        low, high = name_box(day, i)
        inside = min(max(day.w[i], low), high)
        if inside != day.w[i]:
            day.trade(i, inside - day.w[i], "CAP_NAME")


def trim_limit(day: Day, limit: str) -> None:
    """Shrink names, least loss per unit of relief first; no relief may break another limit."""
    bound, row = bounds(day)[limit], rows(day, day.w)[limit]
    value = uses(day, day.w)[limit]
    if not broken(value, bound):
        return
    relief = {i: sign(value) * sign(day.w[i]) * row[i] for i in range(day.n) if day.w[i] != 0}
    helpful = [i for i, x in relief.items() if x > 0 and not day.frozen(i)]

    def price(i: int) -> tuple[float, str]:
        loss = sign(day.w[i]) * day.edge(i) + day.cost(i)
        return loss / relief[i], day.names.symbols[i]

    code = "CAP_" + limit.partition(":")[0].removesuffix("_GROSS")
    for i in sorted(helpful, key=price):
        excess = abs(uses(day, day.w)[limit]) - bound
        if not excess > EPS:
            return
        inward = -float(sign(day.w[i]))
        others = headroom(day, {i: inward})
        step = min(abs(day.w[i]), excess / relief[i], *others.values(), inf)
        if step > EPS:
            day.trade(i, inward * step, code)


def trim(day: Day, *, beta: bool) -> None:
    """PER_NAME, SECTOR, BETA, NET, GROSS; twice, as one relief may make way for another."""
    trim_names(day)
    for _ in range(2):
        for limit in limits_that_bind(day, beta=beta):
            trim_limit(day, limit)
    scale_down(day, beta=beta)


def scale_down(day: Day, *, beta: bool) -> None:
    """If some limit is still broken, scale all movable weights by one common factor."""
    used, limit_of = uses(day, day.w), bounds(day)
    limits = limits_that_bind(day, beta=beta)
    if not any(broken(used[limit], limit_of[limit]) for limit in limits):
        return
    stuck = uses(day, [x if day.frozen(i) else 0.0 for i, x in enumerate(day.w)])
    factor = 1.0
    for limit in limits:
        moving = used[limit] - stuck[limit]
        if broken(used[limit], limit_of[limit]) and moving != 0:
            reach = (sign(moving) * limit_of[limit] - stuck[limit]) / moving
            factor = min(factor, max(0.0, reach))
    for i in range(day.n):
        if day.w[i] != 0 and not day.frozen(i) and factor < 1.0:
            day.trade(i, (factor - 1.0) * day.w[i], "CAP_GROSS")


# --- targets ----------------------------------------------------------------------------------


def targets(day: Day, side: int) -> dict[int, float]:
    """Target size of each name of rank ≤ K_buy: raw scaled to B·K_buy/K, capped, refilled."""
    r = day.rules
    top = day.ranking(side)[: r.k_buy(side)]
    if r.weighting == "equal":
        return {i: min(r.cap, r.budget(side) / r.k(side)) for i in top}
    raw = {
        i: max(0.0, side * day.names.z[i]) if r.weighting == "score" else 1.0 / day.scale(i)
        for i in top
    }
    return fill(raw, r.budget(side) * r.k_buy(side) / r.k(side), r.cap)


def fill(raw: dict[int, float], total: float, cap: float) -> dict[int, float]:
    """Share `total` in proportion to `raw`, none above `cap`, what the capped leave to the rest."""
    capped: set[int] = set()
    while True:
        rest = {i: x for i, x in raw.items() if i not in capped}
        left = max(0.0, total - cap * len(capped))
        weight = fsum(rest.values())
        share = {i: left * x / weight if weight > 0 else 0.0 for i, x in rest.items()}
        over = {i for i, x in share.items() if x > cap}
        if not over:
            return share | dict.fromkeys(capped, cap)
        capped |= over


# --- 3. buy -----------------------------------------------------------------------------------


def buyers(day: Day, side: int, goal: dict[int, float]) -> list[int]:
    """Rank ≤ K_buy and z > z_keep, not held the other way, not cut or trimmed; best first."""
    return [
        i
        for i in day.ranking(side)
        if i in goal
        and side * day.names.z[i] > day.rules.z_keep
        and i not in day.barred
        and side * day.before_buys[i] >= 0
    ]


def need_of(day: Day, i: int, side: int, goal: dict[int, float]) -> float:
    have = side * day.w[i]
    return max(0.0, goal[i] - have) if have >= 0 else 0.0


def try_buy(day: Day, i: int, side: int, goal: dict[int, float]) -> str:
    """Buy what free budget allows; "" when it traded or needs nothing, else what blocked it."""
    r = day.rules
    need = need_of(day, i, side, goal)
    if need <= EPS:
        return ""
    if day.w[i] == 0 and len(day.held(side)) >= r.k(side):
        return "SLOTS"
    move = {i: float(side)}
    room = {"BUDGET": r.budget(side) - fsum(side * day.w[j] for j in day.held(side))}
    room |= turnover_room(day, move)
    room["PERMIT"] = 0.0 if day.frozen(i) else inf
    room |= headroom(day, move)
    tightest = min(room, key=lambda limit: room[limit] if room[limit] > EPS else 0.0)
    delta = min(need, room[tightest])
    if delta <= EPS:
        return tightest
    if not side * day.edge(i) * delta - day.cost(i) * delta > r.tau_U:
        return "EDGE"
    day.trade(i, side * delta, "BUY_TOP_K")
    if delta < need and tightest.partition(":")[0] in CROSSABLE:
        return ""
    return "FULL"


def buy(day: Day, goals: dict[int, dict[int, float]]) -> None:
    """Two queues by side·z: the better head first; if the balance of the book blocks it, the other.

    When both are blocked both step aside.
    """
    queue = {side: buyers(day, side, goals[side]) for side in day.sides()}
    while any(queue.values()):
        heads = sorted(
            (-side * day.names.z[q[0]], day.names.symbols[q[0]], side)
            for side, q in queue.items()
            if q
        )
        blocked = []
        for _, _, side in heads:
            i = queue[side][0]
            if need_of(day, i, side, goals[side]) <= EPS:
                queue[side].pop(0)
                break
            stopped = try_buy(day, i, side, goals[side])
            if stopped not in ("", "FULL"):
                day.failed[i] = stopped
            if stopped.partition(":")[0] in CROSSABLE:
                blocked.append(side)
                continue
            if stopped:
                queue[side].pop(0)
            break
        if len(blocked) == len(heads):
            for side in blocked:
                queue[side].pop(0)


# --- 4. rotate --------------------------------------------------------------------------------


def donors(day: Day, side: int) -> list[int]:
    """Held on this side and not cut, below z_keep or ranked beyond K_sell; worst z first."""
    ranking = day.ranking(side)
    weak = [
        i
        for i in ranking
        if side * day.before_buys[i] > 0
        and i not in day.was_cut
        and (
            not at_least(side * day.names.z[i], day.rules.z_keep)
            or ranking.index(i) + 1 > day.rules.k_sell(side)
        )
    ]
    return sorted(weak, key=lambda i: (side * day.names.z[i], day.names.symbols[i]))


def try_swap(day: Day, i: int, j: int, side: int, goal: dict[int, float]) -> str:
    """Move weight from donor i to buyer j; "" when traded, else the test that failed."""
    r = day.rules
    if not at_least(side * day.names.z[j] - side * day.names.z[i], r.delta_z_min):
        return "HOLD_NO_GAP"
    others = [x for x in day.held(side) if x not in day.draining and x != i]
    if day.w[j] == 0 and len(others) >= r.k(side):
        return "HOLD_LIMIT"
    have = abs(day.w[i])
    moves = {j: float(side), i: float(-side)}
    room = headroom(day, moves) | turnover_room(day, moves)
    if day.frozen(i) or day.frozen(j):
        room["PERMIT"] = 0.0
    delta = min(have, need_of(day, j, side, goal), *room.values())
    if delta <= EPS:
        return "HOLD_LIMIT"
    gain = side * (day.edge(j) - day.edge(i)) * delta - (day.cost(i) + day.cost(j)) * delta
    if not gain > r.tau_U:
        return "HOLD_NO_EDGE"
    in_profit = day.names.pnl_bps is not None and day.names.pnl_bps[i] > 0
    out = "DROP_GREEN" if in_profit else "ROTATE_OUT"
    day.trade(i, -side * delta, out)
    day.trade(j, side * delta, "BUY_BETTER")
    rest = abs(day.w[i])
    whole = gain - rest * (side * day.edge(i) + day.cost(i))
    if 0 < rest < r.tau_name and whole > r.tau_U:
        alone = {i: float(-side)}
        room = headroom(day, alone) | turnover_room(day, alone)
        if all(rest <= x + EPS for x in room.values()):
            day.trade(i, -side * rest, out)
    day.draining.add(i)
    return ""


def rotate(day: Day, goals: dict[int, dict[int, float]]) -> None:
    """Every buyer that still has need asks every donor of its side."""
    for side in day.sides():
        goal = goals[side]
        for j in buyers(day, side, goal):
            for i in donors(day, side):
                if day.w[i] == 0 or need_of(day, j, side, goal) <= EPS:
                    continue
                failed = try_swap(day, i, j, side, goal)
                if failed:
                    day.failed[i] = day.failed[j] = failed


# --- 5. hedge ---------------------------------------------------------------------------------


def hedge(day: Day) -> None:
    """The residual beta goes into the hedge, within its cap and every limit but BETA."""
    h = day.names.hedge
    if h < 0 or day.names.beta is None or day.beta(h) == 0 or day.frozen(h):
        return
    rest = fsum(day.beta(i) * x for i, x in enumerate(day.w) if i != h)
    low, high = name_box(day, h)
    goal = min(max(-rest / day.beta(h), low), high)
    for stop in (0.0, goal) if goal * day.w[h] < 0 else (goal,):
        way = stop - day.w[h]
        if way:
            step = min(abs(way), *headroom(day, {h: float(sign(way))}).values())
            if step > EPS:
                day.trade(h, sign(way) * step, "HEDGE_BETA")


# --- codes ------------------------------------------------------------------------------------


def moved_code(parts: dict[str, float]) -> str:
    """The code of the larger part; of equal ones the earlier step's."""
    largest = max(parts.values())
    return next(c for c in parts if round(parts[c], 12) == round(largest, 12))


def over_limit_and_frozen(day: Day, i: int) -> bool:
    """A frozen name over its own cap, or with frozen names that are over GROSS together."""
    over = abs(day.w[i]) > cap_of(day, i) + day.rules.repair_tolerance
    stuck = fsum(abs(x) for j, x in enumerate(day.names.current) if day.frozen(j))
    return day.frozen(i) and day.w[i] != 0 and (over or broken(stuck, day.rules.gross))


def code_of(day: Day, i: int) -> str:
    """One deciding code: what moved the name, else why it was left alone."""
    side, test = sign(day.w[i]), day.failed.get(i, "")
    if day.w[i] != day.names.current[i]:
        return moved_code(day.parts[i])
    if over_limit_and_frozen(day, i):
        return "CAP_FROZEN"
    if side and day.ranked(i) and at_least(side * day.names.z[i], day.rules.z_keep):
        return "HOLD_KEEP"
    if test in ("SLOTS", "BUDGET"):
        return "HOLD_NO_DONOR"
    if test == "EDGE":
        return "HOLD_NO_EDGE"
    if test:
        return test if test.startswith("HOLD") else "HOLD_LIMIT"
    return "HOLD_RANK" if side else "HOLD_FLAT"


def decide(rules: Rules, names: Names) -> Day:
    """Steps 1 to 5 of the greedy engine."""
    day = Day(rules, names, list(names.current))
    cut(day)
    day.was_cut = set(day.barred)
    trim(day, beta=names.hedge < 0)
    day.barred |= {i for i in range(day.n) if abs(day.w[i]) < abs(names.current[i])}
    day.before_buys = list(day.w)
    goals = {side: targets(day, side) for side in day.sides()}
    buy(day, goals)
    rotate(day, goals)
    hedge(day)
    trim(day, beta=True)
    day.code = [code_of(day, i) for i in range(day.n)]
    return day
