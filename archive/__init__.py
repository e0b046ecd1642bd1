"""KEEP: state that survives a restart."""
