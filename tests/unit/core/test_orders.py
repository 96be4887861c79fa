"""Orders and books: the little arithmetic they carry, and what they refuse."""

import numpy as np
import pytest

from deadband.core.errors import ShapeError
from deadband.core.orders import Book, Order, OrdStatus, OrdType, Side, WorkingOrder


def test_only_buys_add_shares() -> None:
    assert [side.sign for side in Side] == [1, -1, -1]


def test_what_is_left_of_an_order() -> None:
    order = Order("db-1", "AAPL", Side.BUY, 100, OrdType.LIMIT, 10.0, "c1", "BUY_TOP_K", 10.0, 0)
    assert WorkingOrder(order, OrdStatus.NEW).leaves_qty == 100
    assert WorkingOrder(order, OrdStatus.PARTIALLY_FILLED, 30).leaves_qty == 70


def test_an_empty_book_is_flat_and_sealed() -> None:
    book = Book.empty(3, 5_000_000)
    assert book.shares.tolist() == [0, 0, 0]
    assert book.entry_price.tolist() == [0.0, 0.0, 0.0]
    assert book.entry_at.tolist() == [-1, -1, -1]
    assert (book.cash_micro, book.fees_micro) == (5_000_000, 0)
    with pytest.raises(ValueError, match="read-only"):
        book.shares[0] = 1


def test_columns_of_a_book_agree_in_length() -> None:
    with pytest.raises(ShapeError, match=r"Book.entry_price has shape \(2,\), expected \(3,\)"):
        Book(np.zeros(3, np.int64), 0, np.zeros(2), np.full(3, -1))
