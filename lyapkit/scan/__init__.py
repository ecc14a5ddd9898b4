"""Scans: any verb over a grid of parameters."""

from lyapkit.scan.scan import ScanInterrupted, scan

__all__ = ["ScanInterrupted", "scan"]
