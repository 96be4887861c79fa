"""One file per algorithm: what child order it would like to have working now."""
