"""Programs in, answers out; which one is asked is for qp.py to say."""
