"""PaperDesk: a trading desk of language-model agents that runs on your own machine."""
