"""What others read: each module makes one file's text of an assessment and of nothing else, the same each time."""
