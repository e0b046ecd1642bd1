"""Videos of public posts, fetched a second time by yt-dlp where that was asked for."""
