"""A Problem in, a Proposal with its proof out."""
