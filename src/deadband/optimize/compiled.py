"""The compiled kernel, or None where it was not built; the one place that imports it.

Callers read `compiled.kernel` at each call and take their Python path where it is None.
"""

from __future__ import annotations

__all__ = ["kernel"]

try:
    from . import _kernel as kernel
except ImportError:
    kernel = None  # type: ignore[assignment]
