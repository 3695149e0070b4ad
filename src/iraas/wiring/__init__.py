"""The composition root: Settings -> the parts, joined. Nothing else knows which backend it works on."""
