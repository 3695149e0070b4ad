"""Answers on their way back: replies, the results store, dead letters."""
