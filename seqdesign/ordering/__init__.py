"""From designs to an order: which to take, barcodes, primers, plates, files to send."""
