"""The control capture: the program's own page, looked at as any other, and compared with what it must show."""
