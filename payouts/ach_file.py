"""The NACHA file of a cycle: one batch of CCD+ credits, each with the trace that ties it to its statement."""
