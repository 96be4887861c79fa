"""What the pre-trade gate asks of orders, one at a time and all together."""
