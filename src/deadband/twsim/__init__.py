"""A loopback TWS gateway for tests and paper; an island: it speaks TWS text and knows only core."""
