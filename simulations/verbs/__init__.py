"""Commands of the command line by what they are about; `cli.py` has those about sessions.

Only what `--help` needs is imported above; each command imports the rest itself, so that help answers at once.
"""
