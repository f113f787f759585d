"""Hearline: real-time speech recognition that people run themselves."""

__version__ = "0.1.0"
