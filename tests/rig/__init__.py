"""A miniature AWS: alarms, Auto Scaling, instances and their metadata, on 127.0.0.1 and link-local addresses."""
