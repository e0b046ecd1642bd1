"""What is handed to people to read: the report, exhibits with their numbers, drafts of certifications."""
