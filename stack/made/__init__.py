"""The programs: found, or made once a machine."""
