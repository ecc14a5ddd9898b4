"""Cycles of flows and of maps: found, solved, measured."""
