"""One part at a time, without processes of ours, without the network."""
