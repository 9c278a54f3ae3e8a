"""Drawing: what samples of any model shall be, and how they are written."""
