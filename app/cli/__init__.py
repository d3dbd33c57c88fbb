"""The command line: ``python -m app.cli <verb>``. Each verb parses, calls one verb of the domain, and prints."""
