"""The driver of real sessions: the same step and journal as a backtest, against a broker's port."""
