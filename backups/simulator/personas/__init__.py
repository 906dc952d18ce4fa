"""One module per simulated platform, named like its slug; each has a `PERSONA`."""
