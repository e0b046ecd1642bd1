"""CONFIGURE: named by string in scrapy.cfg; imports no room, imported by none."""
