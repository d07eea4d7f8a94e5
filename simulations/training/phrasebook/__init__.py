"""Press releases with a known tone, put together from parts that are dealt out, so that whole phrasings stay unseen."""
