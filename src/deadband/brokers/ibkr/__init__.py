"""Interactive Brokers: the order port over a TWS or IB Gateway socket."""
