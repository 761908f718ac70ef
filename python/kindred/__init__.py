"""Kindred: the customer data platform that lives in your own warehouse."""

__version__ = "0.1.0"
