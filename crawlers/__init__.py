"""LOOK: Scrapy and Playwright live here."""
