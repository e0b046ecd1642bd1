"""The traffic of one visit: every exchange the browser had with a site, as WARC."""
