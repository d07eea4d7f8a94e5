"""`paperdesk report`: a session as one HTML file that needs neither a script nor a network."""
