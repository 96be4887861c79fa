"""A Decision in, orders out; reports in, order state out; no I/O."""
