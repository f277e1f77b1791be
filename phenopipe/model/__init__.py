"""The network: the W-Net (`wnet`), its sizes (`presets`) and its files (`find`, `weights`)."""
