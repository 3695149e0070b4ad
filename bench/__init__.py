"""The figures of one machine: what a picture costs here, beside the bare loop and beside other servers."""
