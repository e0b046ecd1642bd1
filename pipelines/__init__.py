"""SEAL: Visit -> hashing -> Hashed -> archiving -> Stored -> recording -> Recorded -> cataloguing."""
