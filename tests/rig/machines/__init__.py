"""The instances of the miniature AWS: processes with nothing but loopback and link-local addresses."""
