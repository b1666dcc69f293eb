#!/bin/sh
# shellcheck disable=SC2016 # what stands in single quotes is for another shell
# Is w2 what the plan says, and does the network let it out? Site acme-oslo.
# Run it on the host, as root if you can, before anything is installed. It changes nothing and needs nothing but a shell;
# what it can use is used: python3, bash, nc, curl, ss, timedatectl, chronyc.
# Exit status: 0 nothing failed, 1 something failed, 2 wrong usage.
set -u
LC_ALL=C
export LC_ALL

usage() {
    cat <<'END'
usage: preflight.sh [--host] [--flows] [--timeout SECONDS]

  --host      only compare the host with the plan
  --flows     only try the connections that the host will open
  --timeout   how long to wait for each connection (5)

Results: ok, FAIL, skip (nothing here can tell), note (worth a look).
A connection that is refused is fine before the installation: the network lets it through, nobody listens yet (or a
firewall says no in the name of the other end; then it is still refused when the product runs). One without any answer
is stopped on the way, or the other host is off.
END
}

facts=yes flows=yes limit=5
while [ $# -gt 0 ]; do
    case $1 in
        --host) flows=no ;;
        --flows) facts=no ;;
        --timeout)
            [ $# -gt 1 ] || { usage >&2; exit 2; }
            limit=$2
            shift
            ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
case $limit in '' | 0 | *[!0-9]*) usage >&2; exit 2 ;; esac
[ "$facts$flows" != nono ] || { facts=yes; flows=yes; }

ok=0 failed=0 skipped=0 noted=0
report() {
    case $1 in
        ok) ok=$((ok + 1)) ;;
        FAIL) failed=$((failed + 1)) ;;
        note) noted=$((noted + 1)) ;;
        *) skipped=$((skipped + 1)) ;;
    esac
    printf '%-4s  %-10s  %s\n' "$1" "$2" "$3"
}
have() { command -v "$1" >/dev/null 2>&1; }

# --- the host ---------------------------------------------------------------------------------------------------------

check_system() {
    if [ ! -r /etc/os-release ]; then report skip system "there is no /etc/os-release; planned: $1 $2"; return; fi
    id=$(sed -n 's/^ID=//p' /etc/os-release | tr -d "\"'" | head -n 1)
    version=$(sed -n 's/^VERSION_ID=//p' /etc/os-release | tr -d "\"'" | head -n 1)
    case $id:$version in
        "$1":"$2" | "$1":"$2".* | "$1":*"$2") report ok system "$id $version" ;;
        *) report FAIL system "it is $id $version, planned: $1 $2" ;;
    esac
}

check_arch() {
    case $(uname -m) in
        x86_64) arch=amd64 ;;
        aarch64) arch=arm64 ;;
        *) arch=$(uname -m) ;;
    esac
    if [ "$arch" = "$1" ]; then report ok arch "$arch"; else report FAIL arch "it is $arch, planned: $1"; fi
}

check_kernel() {
    release=$(uname -r)
    case $release in
        "$1" | "$1"[!0-9]*) report ok kernel "$release" ;;
        *) report FAIL kernel "it is $release, planned: $1" ;;
    esac
}

check_cores() {
    cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || grep -c '^processor' /proc/cpuinfo)
    if [ "$cores" -ge "$1" ]; then report ok cores "$cores"; else report FAIL cores "there are $cores, planned: $1"; fi
}

# Sizes are in KiB; the kernel and the file system keep some of it for themselves.
nearly() { [ "$1" -ge $(($2 * $3 / 100)) ]; }

check_memory() {
    memory=$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
    if nearly "$memory" "$1" 92; then report ok memory "$((memory / 1024)) MiB"
    else report FAIL memory "there are $((memory / 1024)) MiB, planned: $2"
    fi
}

check_disk() {
    disk=0
    for size in /sys/block/*/size; do
        case $size in */loop* | */ram* | */zram* | */sr* | */dm-* | */md* | */\**) continue ;; esac
        disk=$((disk + $(cat "$size") / 2))
    done
    if [ "$disk" -eq 0 ]; then report skip disk "the disks cannot be seen; planned: $2"
    elif nearly "$disk" "$1" 92; then report ok disk "$((disk / 1048576)) GiB"
    else report FAIL disk "there are $((disk / 1048576)) GiB, planned: $2"
    fi
}

check_filesystem() {
    found=
    while read -r _ mount kind _; do
        [ "$mount" != "$1" ] || found=$kind
    done </proc/mounts
    if [ -z "$found" ]; then report FAIL filesystem "nothing is mounted at $1, planned: $2 $4"; return; fi
    if [ -n "$2" ] && [ "$found" != "$2" ]; then report FAIL filesystem "$1 is $found, planned: $2"; return; fi
    size=$(df -P -k "$1" 2>/dev/null | sed -n '2s/^[^ ]* *\([0-9]*\) .*/\1/p')
    if [ "$3" -eq 0 ] || [ -z "$size" ]; then report ok filesystem "$1 is $found"
    elif nearly "$size" "$3" 90; then report ok filesystem "$1 is $found, $((size / 1048576)) GiB"
    else report FAIL filesystem "$1 has $((size / 1048576)) GiB, planned: $4"
    fi
}

addresses() {
    if have ip; then ip -o address show | sed -n 's/.* inet6* \([^/ ]*\).*/\1/p'
    else hostname -I 2>/dev/null | tr ' ' '\n'
    fi
}

check_address() {
    if [ -z "$(addresses)" ]; then report skip address "neither ip nor hostname can list them; planned: $1"
    elif addresses | grep -Fqx -- "$1"; then report ok address "$1"
    else report FAIL address "no interface has $1"
    fi
}

check_name() {
    name=$1
    shift
    if ! have getent; then report skip name "there is no getent; planned: $name"; return; fi
    found=$(getent ahosts "$name" | sed 's/ .*//' | sort -u)
    if [ -z "$found" ]; then report FAIL name "$name does not resolve"; return; fi
    for address; do
        if printf '%s\n' "$found" | grep -Fqx -- "$address"; then report ok name "$name is $address"; return; fi
    done
    report FAIL name "$name is $(printf '%s' "$found" | tr '\n' ' '), planned: $*"
}

check_interface() {
    if [ -e "/sys/class/net/$1" ]; then report ok interface "$1"; else report FAIL interface "there is no $1"; fi
}

check_link() {
    best=0
    for speed in /sys/class/net/*/speed; do
        speed=$(cat "$speed" 2>/dev/null) || continue
        case $speed in '' | *[!0-9]*) continue ;; esac
        [ "$speed" -le "$best" ] || best=$speed
    done
    if [ "$best" -eq 0 ]; then report skip link "no interface tells its speed; planned: $2"
    elif [ "$best" -ge "$1" ]; then report ok link "$best Mb/s"
    else report FAIL link "the fastest interface has $best Mb/s, planned: $2"
    fi
}

check_clock() {
    if have timedatectl && state=$(timedatectl show -p NTPSynchronized --value 2>/dev/null) && [ -n "$state" ]; then
        if [ "$state" = yes ]; then report ok clock "synchronized"; else report FAIL clock "not synchronized"; fi
    elif have chronyc && state=$(chronyc tracking 2>/dev/null); then
        case $state in *'Leap status     : Normal'*) report ok clock "synchronized" ;; *) report FAIL clock "not synchronized" ;; esac
    else
        report skip clock "neither timedatectl nor chronyc tells"
    fi
}

check() {
    kind=$1
    shift
    case $kind in
        system) check_system "$@" ;;
        arch) check_arch "$@" ;;
        kernel) check_kernel "$@" ;;
        cores) check_cores "$@" ;;
        memory) check_memory "$@" ;;
        disk) check_disk "$@" ;;
        filesystem) check_filesystem "$@" ;;
        address) check_address "$@" ;;
        name) check_name "$@" ;;
        interface) check_interface "$@" ;;
        link) check_link "$@" ;;
        clock) check_clock "$@" ;;
        *) report skip "$kind" "this script does not know how to look" ;;
    esac
}

# What a product asks: words, what to do, the command, its arguments.
probe() {
    says=$1 fails=$2 command=$3
    shift 3
    if have timeout; then set -- timeout 30 sh -c "$command" probe "$@"; else set -- sh -c "$command" probe "$@"; fi
    if "$@" >/dev/null 2>&1 </dev/null; then report ok product "$says"; else report FAIL product "$says: $fails"; fi
}

# A port on which something of ours will listen: whether it is free.
port() {
    transport=$1 number=$2 to=$3 published=$4
    case $transport in tcp) state=0A ;; *) state=07 ;; esac
    if ! cat "/proc/net/$transport" "/proc/net/${transport}6" 2>/dev/null |
        grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf '%04X' "$number") [0-9A-F]*:[0-9A-F]* $state "; then
        report ok port "$number/$transport is free for $to"
    elif [ "$published" = yes ]; then
        report FAIL port "$number/$transport is taken, and $to needs it"
    else
        report note port "$number/$transport is taken; fine if that is $to already"
    fi
}

# --- the network ------------------------------------------------------------------------------------------------------

# One TCP connection; prints open, refused, silent, unreachable, rejected, unknown-name or nothing.
tcp() {
    if have python3; then
        python3 -c '
import errno, socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()
    print("open")
except socket.timeout:
    print("silent")
except socket.gaierror:
    print("unknown-name")
except OSError as e:
    known = {errno.ECONNREFUSED: "refused", errno.ENETUNREACH: "unreachable", errno.EHOSTUNREACH: "unreachable",
             errno.EADDRNOTAVAIL: "unreachable", errno.EACCES: "rejected", errno.EPERM: "rejected", errno.ETIMEDOUT: "silent"}
    print(known.get(e.errno, "unreachable"))
' "$1" "$2" "$limit"
        return
    fi
    if have bash && have timeout; then
        said=$(timeout "$limit" bash -c 'exec 3<>"/dev/tcp/$1/$2"' tcp "$1" "$2" 2>&1)
        words "$?" 124 "$said"
    elif have nc; then
        said=$(nc -v -z -w "$limit" "$1" "$2" </dev/null 2>&1)
        words "$?" 124 "$said"
    elif have curl; then
        case $1 in *:*) set -- "[$1]" "$2" ;; esac
        said=$(curl --verbose --silent --output /dev/null --max-time "$limit" "http://$1:$2/" 2>&1)
        status=$?
        case $said in *' Connected to '* | *'onnected to '*' port '*) status=0 ;; esac
        words "$status" 28 "$said"
    fi
}

# What an exit status and an error message come to.
words() {
    if [ "$1" -eq 0 ]; then echo open; return; fi
    if [ "$1" -eq "$2" ]; then echo silent; return; fi
    case $3 in
        *efused*) echo refused ;;
        *'imed out'* | *'in progress'*) echo silent ;;
        *'ame or service'* | *'resolve'* | *'name resolution'* | *'No address associated'*) echo unknown-name ;;
        *ermission* | *ermitted* | *rohibited*) echo rejected ;;
        *nreachable* | *'o route'*) echo unreachable ;;
        *) echo silent ;;
    esac
}

# One UDP datagram: an answer, or the refusal of the other end, shows that the way is open; silence shows nothing.
udp() {
    have python3 || return
    python3 -c '
import socket, sys
try:
    family, kind, protocol, _, address = socket.getaddrinfo(sys.argv[1], int(sys.argv[2]), type=socket.SOCK_DGRAM)[0]
    s = socket.socket(family, kind, protocol)
    s.settimeout(1)
    s.connect(address)
    s.send(b"\0")
    s.recv(1)
    print("open")
except ConnectionRefusedError:
    print("refused")
except socket.gaierror:
    print("unknown-name")
except socket.timeout:
    pass
except PermissionError:
    print("rejected")
except OSError:
    print("unreachable")
' "$1" "$2"
}

# One line of the plan: transport, ports, to whom, for whom, how many addresses are left out, the addresses.
try() {
    transport=$1 ports=$2 to=$3 from=$4 more=$5
    shift 5
    number=${ports%%-*}
    part=
    [ "$number" = "$ports" ] || part=", the first of the ports $ports"
    for address; do
        what="$to at $address $number/$transport$part (for $from)"
        case $address in */*) report skip "$transport" "$what: a whole network; try one host of it"; continue ;; esac
        state=$("$transport" "$address" "$number")
        case $state in
            open) report ok "$transport" "$what: open, something answers" ;;
            refused) report ok "$transport" "$what: the network lets it through, nobody listens yet" ;;
            silent) report FAIL "$transport" "$what: no answer within $limit s, stopped on the way or the host is off" ;;
            rejected) report FAIL "$transport" "$what: a firewall rejects it" ;;
            unreachable) report FAIL "$transport" "$what: no way there, or rejected" ;;
            unknown-name) report FAIL "$transport" "$what: the name does not resolve" ;;
            *)
                if [ "$transport" = udp ]; then report skip udp "$what: no answer, which says nothing with UDP"
                else report skip tcp "$what: there is no python3, bash with timeout, nc or curl"
                fi
                ;;
        esac
    done
    [ "$more" -eq 0 ] || report skip "$transport" "$to: $more further addresses are not tried"
}

# The addresses of this host in the plan.
own() { :; }

# --- the plan ---------------------------------------------------------------------------------------------------------

own 10.30.8.22
own fd00:30:8::22

if [ "$facts" = yes ]; then
    printf '\nThe host\n\n'
    check system rocky 9
    check arch amd64
    check cores 4
    check memory 16777216 '16 GiB'
    check address 10.30.8.22
    check address fd00:30:8::22
    check name w2.acme.example 10.30.8.22 fd00:30:8::22
    check clock w2
    port tcp 22 hosts no
    port tcp 30088 workers yes
fi

if [ "$flows" = yes ]; then
    printf '\nConnections that it will open\n\n'
    try tcp 6443 'control plane, Kubernetes API' 'cluster nodes' 0 10.30.8.11
    try tcp 179 'cluster nodes, BGP' 'cluster nodes' 0 10.30.8.11 10.30.8.21 fd00:30:8::21
    try tcp 5473 'cluster nodes, Typha' 'cluster nodes' 0 10.30.8.11 10.30.8.21 fd00:30:8::21
    try tcp 10250 'cluster nodes, kubelet' 'cluster nodes' 0 10.30.8.11 10.30.8.21 fd00:30:8::21
    try tcp 10256 'cluster nodes, kube-proxy' 'cluster nodes' 0 10.30.8.11 10.30.8.21 fd00:30:8::21
    try udp 4789 'cluster nodes, pods in VXLAN' 'cluster nodes' 0 10.30.8.11 10.30.8.21 fd00:30:8::21
    try udp 123 'ntp, NTP' hosts 0 10.30.8.3
    try tcp 2049 'nfs, NFS' 'thumbnails, web' 0 10.30.8.31 fd00:30:8::31
    try tcp 6432 'database, PostgreSQL' web 0 10.30.8.42
fi

printf '\n%s ok, %s failed, %s skipped, %s to look at\n' "$ok" "$failed" "$skipped" "$noted"
[ "$failed" -eq 0 ] || exit 1
