"""Sensitivity forwards and gradients backwards over delays."""
