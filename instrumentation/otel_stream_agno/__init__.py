"""Agno's agents and teams, in the process and over HTTP."""
