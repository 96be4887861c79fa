"""History in, one RiskModel out."""
