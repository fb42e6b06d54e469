"""Berth's tests in Python; the C ones lie beside them."""
