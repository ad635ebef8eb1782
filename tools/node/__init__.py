"""A real node on this machine: kubelet, containerd, networks rules, in namespaces apart."""
