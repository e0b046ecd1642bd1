"""Packages: the traffic of one unit as one file that a person can replay."""
