"""Model files: which are known, which are trusted, where they lie, how they are fetched and checked."""
