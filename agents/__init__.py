"""Who sits on the desk: roles, prompts, signals, the auditor, the portfolio manager, the minds."""
