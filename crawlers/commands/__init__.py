"""What ``scrapy`` can be told to do in this project, beyond or other than by itself."""
