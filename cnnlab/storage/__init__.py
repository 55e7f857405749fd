"""Files written aside and renamed, append-only records, locks, processes and background jobs."""
