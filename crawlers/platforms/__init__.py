"""One file a platform: whose pages it reads, how it knows them, and what they say. Found by being here."""
