"""Shipped agents, one folder of data each."""
