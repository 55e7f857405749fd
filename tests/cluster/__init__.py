"""Ray: its address, its answers, and real clusters of three nodes on this computer."""
