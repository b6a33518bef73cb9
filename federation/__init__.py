"""The language of nodes and the protocol between them; imports nothing else of vUpdate."""
