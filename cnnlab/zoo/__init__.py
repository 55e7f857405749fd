"""Networks that can be asked though nobody trained them here, and what comes with cnnlab; export."""
