"""Moves data: reads sources, runs the jobs on Apache Beam, writes run directories, holds the command line."""
