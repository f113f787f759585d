"""Samples to speech probability to utterance boundaries."""
