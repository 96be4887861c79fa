"""Portfolio libraries used as their users would, asked for as much of the program as they can say.

Data frames of what does not change are made before the clock starts. Where a library has a word
for a limit it is used; where it only lets the caller add a term of cvxpy's, that is done, and
`lacks` says so. What it cannot state at all is left out of the question and said as well: its time
is still taken, its violation shows the limit it was not asked for.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
from instances import NEVER, Cycle, Setting
from rivals import Reply, Rival, Solve, turnover_written


def pypfopt_solver(setting: Setting, first: Cycle) -> Solve:
    import cvxpy as cp
    import pandas as pd
    from pypfopt import EfficientFrontier
    from pypfopt.exceptions import OptimizationError
    from pypfopt.objective_functions import quadratic_utility

    names, config = list(setting.symbols), setting.config
    covariance = pd.DataFrame(setting.sigma, names, names)
    cap, twice = config.per_name_cap, 2.0 * config.lambda_risk
    sectors = dict(zip(names, setting.sector.tolist(), strict=True))
    there = sorted(set(sectors.values()))
    bounds = (-cap if setting.shorts else 0.0, cap)

    def solve(cycle: Cycle) -> Reply:
        edge = pd.Series(setting.scale * cycle.scores, names)
        frontier = EfficientFrontier(edge, covariance, bounds)
        if setting.costs.any():
            # The library's transaction_cost takes one cost for all names.
            frontier.add_objective(
                lambda w: cp.sum(cp.multiply(setting.prices, cp.abs(w - cycle.home)))
            )
        for row in range(2 if setting.capped else 0):
            frontier.add_constraint(
                lambda w, row=row: turnover_written(setting, w, cycle.home)[row]
            )
        if setting.beta is not None:
            frontier.add_constraint(lambda w: cp.abs(setting.beta @ w) <= config.beta_tolerance)
        lower = dict.fromkeys(there, -config.sector_cap) if setting.shorts else {}
        frontier.add_sector_constraints(sectors, lower, dict.fromkeys(there, config.sector_cap))
        try:
            if setting.invested:
                found = frontier.max_quadratic_utility(risk_aversion=twice)
            else:
                frontier.add_constraint(lambda w: cp.norm1(w) <= config.max_gross_exposure)
                frontier.add_constraint(lambda w: cp.abs(cp.sum(w)) <= config.max_net_exposure)
                found = frontier.convex_objective(
                    lambda w: quadratic_utility(w, edge, covariance, twice),
                    weights_sum_to_one=False,
                )
        except OptimizationError as fault:
            return Reply(None, said=str(fault)[:60])
        return Reply(np.array([found[name] for name in names]))

    return solve


def pypfopt_lacks(setting: Setting) -> str:
    said = ["no cost by name, turnover or beta limit: added as cvxpy terms"]
    if not setting.invested:
        said.append("gross and net likewise")
    if setting.factors is not None:
        said.append("no factor form: dense matrix")
    return "; ".join(said)


def skfolio_solver(setting: Setting, first: Cycle) -> Solve:
    import cvxpy as cp
    import pandas as pd
    from skfolio import RiskMeasure
    from skfolio.exceptions import OptimizationError
    from skfolio.optimization import MeanRisk, ObjectiveFunction
    from skfolio.prior import BasePrior, ReturnDistribution

    config, names = setting.config, list(setting.symbols)
    # It wants returns even where nothing is estimated from them.
    history = pd.DataFrame(0.01 * np.random.default_rng(0).normal(size=(20, setting.size)))
    history.columns = pd.Index(names)
    covariance, factors = setting.sigma, _skfolio_factors(setting, len(history))

    class Known(BasePrior):
        """Moments that are known rather than fitted."""

        def __init__(self, edge: Any = None) -> None:
            self.edge = edge

        def fit(self, X: Any, y: Any = None, **_: Any) -> Any:  # noqa: N803
            self.return_distribution_ = ReturnDistribution(
                mu=self.edge, covariance=covariance, returns=np.asarray(X), factor_model=factors
            )
            return self

    cap, net = config.per_name_cap, config.max_net_exposure
    beta = None if setting.beta is None else np.vstack([setting.beta, -setting.beta])
    words = [f"{name} <= {config.sector_cap}" for name in sorted(set(setting.sectors))]
    if setting.shorts:
        words += [f"{name} >= -{config.sector_cap}" for name in sorted(set(setting.sectors))]

    def solve(cycle: Cycle) -> Reply:
        def also(w: Any) -> list[Any]:
            rules = [] if setting.invested else [cp.norm1(w) <= config.max_gross_exposure]
            if setting.capped:
                rules.append(cp.norm1(w - cycle.home) <= config.max_turnover)
            return rules

        model = MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_UTILITY,
            risk_measure=RiskMeasure.VARIANCE,
            risk_aversion=config.lambda_risk,
            prior_estimator=Known(setting.scale * cycle.scores),
            min_weights=-cap if setting.shorts else 0.0,
            max_weights=cap,
            budget=1.0 if setting.invested else None,
            min_budget=None if setting.invested else -net,
            max_budget=None if setting.invested else net,
            transaction_costs=setting.prices,
            previous_weights=cycle.home,
            max_turnover=config.max_turnover_per_name if setting.capped else None,
            groups=[setting.sectors],
            linear_constraints=words,
            left_inequality=beta,
            right_inequality=None if beta is None else np.full(2, config.beta_tolerance),
            add_constraints=also,
        )
        try:
            model.fit(history)
        except OptimizationError as fault:
            return Reply(None, said=str(fault)[:60])
        return Reply(np.asarray(model.weights_, dtype=np.float64))

    return solve


def _skfolio_factors(setting: Setting, observations: int) -> Any:
    if setting.factors is None:
        return None
    from skfolio.prior import FactorModel

    loadings, specific = setting.scaled_factors
    k = loadings.shape[1]
    return FactorModel(
        observations=np.arange(observations),
        asset_names=np.array(setting.symbols),
        factor_names=np.array([f"F{i}" for i in range(k)]),
        factor_families=None,
        loading_matrix=loadings,
        exposures=None,
        factor_covariance=np.eye(k),
        factor_mu=np.zeros(k),
        factor_returns=None,
        idio_covariance=specific,
        idio_mu=None,
        idio_returns=None,
        idio_variances=None,
    )


def skfolio_lacks(setting: Setting) -> str:
    said = []
    if setting.capped:
        said.append("no turnover limit of the book")
    if not setting.invested:
        said.append("no gross limit")
    added = f"{' and '.join(said)}: added as cvxpy terms" if said else ""
    form = "" if setting.factors is None else "an n×n matrix beside the factors"
    return "; ".join(part for part in (added, form) if part)


def riskfolio_solver(setting: Setting, first: Cycle) -> Solve:
    import pandas as pd
    import riskfolio

    config, names = setting.config, list(setting.symbols)
    history = pd.DataFrame(0.01 * np.random.default_rng(0).normal(size=(20, setting.size)))
    history.columns = pd.Index(names)
    covariance = pd.DataFrame(setting.sigma, names, names)
    rows, bounds = [setting.sector_rows], [np.full(len(setting.sector_rows), config.sector_cap)]
    if setting.shorts:
        rows, bounds = [*rows, -setting.sector_rows], bounds * 2
    if setting.beta is not None:
        rows.append(np.vstack([setting.beta, -setting.beta]))
        bounds.append(np.full(2, config.beta_tolerance))

    def solve(cycle: Cycle) -> Reply:
        book = riskfolio.Portfolio(returns=history, sht=setting.shorts)
        book.mu = pd.DataFrame([setting.scale * cycle.scores], columns=names)
        book.cov = covariance
        book.upperlng = book.uppersht = config.per_name_cap
        if setting.shorts:
            book.budget, book.budgetsht = 0.0, config.max_gross_exposure / 2.0
        if setting.capped:
            book.allowTO, book.turnover = True, config.max_turnover_per_name
            book.benchweights = pd.DataFrame(cycle.home, names, ["weights"])
        book.ainequality, book.binequality = np.vstack(rows), np.concatenate(bounds)[:, None]
        book.solvers = ["CLARABEL"]
        with contextlib.redirect_stdout(io.StringIO()):
            found = book.optimization(
                model="Classic", rm="MV", obj="Utility", rf=0.0, l=config.lambda_risk
            )
        if found is None:
            return Reply(None, said="no solution")
        return Reply(found["weights"].to_numpy())

    return solve


def riskfolio_lacks(setting: Setting) -> str:
    said = ["no costs"] if setting.costs.any() else []
    said += ["no turnover limit of the book"] if setting.capped else []
    said += [] if setting.invested else ["no range of net: Σw = 0"]
    said += ["no factor form: dense matrix"] if setting.factors is not None else []
    return "; ".join(said)


def cvxportfolio_solver(setting: Setting, first: Cycle) -> Solve:
    """One step of its policy, compiled once as its simulator does."""
    import cvxportfolio as cvx
    import pandas as pd

    config, names = setting.config, list(setting.symbols)
    times = pd.date_range("2024-01-02", periods=len(setting.scores), freq="D", tz="UTC")
    edge = pd.DataFrame(setting.scores * setting.scale, times, names)
    if setting.factors is None:
        risk = cvx.FullCovariance(Sigma=pd.DataFrame(setting.sigma, names, names))
    else:
        loadings, specific = setting.scaled_factors
        exposures = pd.DataFrame(loadings.T, columns=names)
        risk = cvx.FactorModelCovariance(F=exposures, d=pd.Series(specific, names))
    goal = cvx.ReturnsForecast(r_hat=edge) - config.lambda_risk * risk
    if setting.costs.any():
        goal -= cvx.TransactionCost(a=pd.Series(setting.prices, names), b=None)
    rules = [cvx.MaxWeights(config.per_name_cap)]
    rules.append(cvx.LongOnly() if not setting.shorts else cvx.MinWeights(-config.per_name_cap))

    def between(row: Any, bound: float) -> list[Any]:
        exposure = pd.Series(row, names)
        return [cvx.FactorMaxLimit(exposure, bound), cvx.FactorMinLimit(exposure, -bound)]

    for row in setting.sector_rows:
        rules += between(row, config.sector_cap)
    if setting.beta is not None:
        rules += between(setting.beta, config.beta_tolerance)
    if setting.invested:
        rules.append(cvx.NoCash())
    else:
        rules.append(cvx.LeverageLimit(config.max_gross_exposure))
        rules += between(np.ones(setting.size), config.max_net_exposure)
    if config.max_turnover < NEVER:
        name = config.max_turnover_per_name
        rules += [cvx.TurnoverLimit(config.max_turnover / 2.0)]
        rules += [cvx.MaxTradeWeights(name), cvx.MinTradeWeights(-name)]
    policy = cvx.SinglePeriodOptimization(goal, rules, include_cash_return=False)
    universe = pd.Index([*names, "cash"])
    policy.initialize_estimator_recursive(universe=universe, trading_calendar=times)

    def solve(cycle: Cycle) -> Reply:
        held = pd.Series(np.append(cycle.home, 1.0 - cycle.home.sum()), universe)
        try:
            found = policy.values_in_time_recursive(
                t=times[cycle.place],
                past_returns=None,
                past_volumes=None,
                current_weights=held,
                current_portfolio_value=1.0,
                current_prices=None,
            )
        except cvx.errors.PortfolioOptimizationError as fault:
            return Reply(None, said=str(fault)[:60])
        return Reply(found.to_numpy()[:-1])

    return solve


PEERS = (
    Rival(
        "PyPortfolioOpt", "pypfopt", pypfopt_solver, pypfopt_lacks, {"dense": 3000, "factor": 1000}
    ),
    Rival("skfolio", "skfolio", skfolio_solver, skfolio_lacks, {"dense": 3000, "factor": 3000}),
    Rival(
        "Riskfolio-Lib",
        "riskfolio",
        riskfolio_solver,
        riskfolio_lacks,
        {"dense": 1000, "factor": 1000},
        "needs vectorbt: Apache-2.0 with Commons Clause",
    ),
    Rival(
        "cvxportfolio",
        "cvxportfolio",
        cvxportfolio_solver,
        most_names={"dense": 300, "factor": 3000},
        license="GPL-3.0",
    ),
)
