"""Scans: any verb over a grid of parameters. (Not named scan: `lyapkit.scan` is the function.)"""

from lyapkit.scanning.scan import ScanInterrupted, scan

__all__ = ["ScanInterrupted", "scan"]
