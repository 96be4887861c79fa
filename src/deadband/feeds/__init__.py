"""Market data and scores: from files, from memory, or simulated; each fulfils a port."""
