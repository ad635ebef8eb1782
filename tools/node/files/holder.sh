#!/bin/bash
# Process 1 of the node's namespaces: what it mounts and sets is seen inside alone, and its end ends all.
#
#   holder.sh FOLDER STORE [ENDING]
#
# FOLDER is the nodes' own, STORE is where containerd keeps images from one start to the next. ENDING stands
# behind the names of a further node's files; its network is connected by namespaces.py.
set -eu
folder=$1 store=$2 ending=${3:-}

mount --make-rprivate /
mount --make-rshared / # what the kubelet mounts has to reach containers
for each in /run /var/lib /var/log; do mount -t tmpfs -o mode=755 tmpfs "$each"; done
mkdir -p /run/netns /run/lock
bind() { mkdir -p "$1" "$2" && mount --bind "$1" "$2" && mount --make-shared "$2"; }
bind "$folder/kubelet$ending" /var/lib/kubelet
bind "$store" /var/lib/containerd
mkdir -p /etc/cni 2> /dev/null || true

# The kubelet sets these of the whole machine unless they have these values already: it is shown files.
shown() {
    mkdir -p "$folder/sysctl$ending" && printf '%s\n' "$2" > "$folder/sysctl$ending/${1//\//.}"
    mount --bind "$folder/sysctl$ending/${1//\//.}" "/proc/sys/$1"
}
shown kernel/panic 10
shown kernel/panic_on_oops 1
shown kernel/keys/root_maxkeys 1000000
shown kernel/keys/root_maxbytes 25000000
shown vm/overcommit_memory 1
shown vm/panic_on_oom 0

ip link set lo up
if [ -z "$ending" ]; then
    ip link add node0 type bridge
    ip address add 10.77.0.10/24 dev node0
    ip address add 198.51.100.10/32 dev node0 # the world outside (outside.py)
    ip link set node0 up
fi
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1

touch "$folder/held$ending"
trap : CHLD TERM INT
while :; do
    sleep 3600 &
    wait $! || true
done
