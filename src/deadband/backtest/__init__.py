"""The cycle on a tape with a virtual clock; replay is the cycle on a journal; reports read it."""
