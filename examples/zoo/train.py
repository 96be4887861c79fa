"""Trains a small zoo on bars before a day, and writes one file that runs it from that day on.

    python examples/zoo/train.py bars.parquet zoo --from 2026-05-04 --to 2026-05-08 --market SPY
    deadband run --config zoo/zoo.toml

Nothing at or after --from is read into the models: features come from deadband's own pipeline, and
the target is each name's return over the next half hour beyond the mean name's, in bps.
"""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path

import numpy as np
import skops.io
from skl2onnx import to_onnx
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deadband import cycle
from deadband.core.config import DataSettings, Settings
from deadband.core.session import session_on
from deadband.feeds.files import bar_tape
from deadband.feeds.universe import Listing

FEATURES = (
    *("return_30m", "return_1d", "return_5d", "overnight_gap", "vwap_distance"),
    *("realized_vol_1d", "volume_ratio"),
)
HORIZON_MIN = 30.0
TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
MODEL = """
[[models]]
name = "{name}"
kind = "{kind}"
source = "{source}"
unit = "bps"
horizon = "30min"
features = {features}
"""


def samples(bars, before, market):
    """Rows of features (s, k) and what followed each (s,), bps, from bars before a day alone."""
    tape = bar_tape(bars, Listing(), Settings(data=DataSettings(market=market)))
    state, looks = cycle.first_features(tape.universe, tape.bar_min, FEATURES), []
    every = round(HORIZON_MIN / tape.bar_min)
    for session, bar in tape.bars_before(session_on(before), most=10_000):
        state = cycle.observe(state, bar, session)
        if state.k % every == 0:
            looks.append((session.day, cycle.read(state, FEATURES).value.T, bar.close))
    x, y = [], []
    for (day, rows, price), (next_day, _, later) in zip(looks, looks[1:], strict=False):
        move = (later / price - 1.0) * 1e4
        known = np.isfinite(rows).all(axis=1) & np.isfinite(move) & tape.universe.traded
        if day == next_day and known.sum() > 1:
            x.append(rows[known])
            y.append(move[known] - move[known].mean())
    return np.concatenate(x), np.clip(np.concatenate(y), -200.0, 200.0)


def main():
    """Train, save, and write zoo.toml."""
    parser = ArgumentParser(description="Train a small zoo and write the file that runs it.")
    parser.add_argument("bars", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
    parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
    parser.add_argument("--market", default="")
    parser.add_argument("--universe", type=Path)
    asked = parser.parse_args()
    x, y = samples(asked.bars, asked.first, asked.market)
    models = asked.folder.resolve() / "models"
    models.mkdir(parents=True, exist_ok=True)
    trees = HistGradientBoostingRegressor(max_depth=3, max_iter=50, random_state=0).fit(x, y)
    skops.io.dump(trees, models / "trees.skops")
    linear = make_pipeline(StandardScaler(), Ridge(alpha=len(y) / 10)).fit(x, y)
    (models / "linear.onnx").write_bytes(to_onnx(linear, x[:1]).SerializeToString())
    listed = str(list(FEATURES)).replace("'", '"')
    fade = f"{Path(__file__).resolve().with_name('fade.py')}:fade"
    text = f'[data]\nbars = "{asked.bars.resolve()}"\nmarket = "{asked.market}"\n'
    text += f'first = "{asked.first}"\nlast = "{asked.last}"\n'
    text += f'universe = "{asked.universe.resolve()}"\n' if asked.universe else ""
    for name, kind, source, features in (
        ("trees", "sklearn", models / "trees.skops", listed),
        ("linear", "onnx", models / "linear.onnx", listed),
        ("fade", "python", fade, '["return_30m"]'),
    ):
        text += MODEL.format(name=name, kind=kind, source=source, features=features)
        text += f'trusted = ["{TREES}"]\n' if name == "trees" else ""
    (asked.folder / "zoo.toml").write_text(text, encoding="utf-8")
    print(f"trained on {len(y):,} rows; next: deadband run --config {asked.folder / 'zoo.toml'}")


if __name__ == "__main__":
    main()
