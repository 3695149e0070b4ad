"""The rules that were tried by others, and ours. One file a family; `iraas.scaling.plan` reads them from TOML."""
