"""The simulated broker's prices and fees."""
