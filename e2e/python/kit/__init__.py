"""What the tests are written with: a server process, OTLP in and out, and a form in which traces can be compared."""
