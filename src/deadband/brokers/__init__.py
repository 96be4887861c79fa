"""Adapters to brokers; each fulfils a port and knows only core."""
