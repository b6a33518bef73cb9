"""The link between two nodes, or a node and its agents: signed requests, invitations, an event stream."""
