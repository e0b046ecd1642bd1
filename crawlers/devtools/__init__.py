"""Speaking DevTools with a browser that Playwright drives, over the pipe that it has anyway: no port, no detour."""
