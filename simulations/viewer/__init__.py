"""`paperdesk view`: sessions in a browser, on this machine only. Read-only; everything comes from the reading model."""
