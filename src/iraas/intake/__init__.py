"""The way in: inspect, admit, store, queue."""
