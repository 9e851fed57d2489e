"""Where telemetry goes: to the application's providers, to those that it names, else to files."""
