"""PROVE: what a stranger needs in ten years. No network, no clock; files only as file objects handed in."""
