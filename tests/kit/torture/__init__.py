"""Seeded ordeals of the order path: what a seed stands for, how it is lived, what has to hold."""

from .ordeal import Outcome, torment
from .schedule import Schedule, draw

__all__ = ["Outcome", "Schedule", "draw", "torment"]
