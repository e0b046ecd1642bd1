"""Who may sign in a log: keys made, asked for, introduced, changed and revoked."""
