"""Classifiers: a model folder, an engine that runs it, and the port that the worker sees."""
