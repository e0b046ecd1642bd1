"""What pages and answers of the social platforms look like: parts of their readers in `crawlers.platforms`."""
