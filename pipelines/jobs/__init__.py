"""The jobs on Apache Beam. Transforms wire; the functions that think are in `splitting` and `validation`."""
