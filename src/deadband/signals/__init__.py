"""Many scores in, one score per name out."""
