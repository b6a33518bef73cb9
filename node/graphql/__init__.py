"""The GraphQL API for people and tools: what it shows, what it changes, and who may do which."""
