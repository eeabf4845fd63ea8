# Runs as the init of a new pid namespace, in a new mount namespace: makes the host, says "ready",
# and lives for as long as its stdin is open. Its end ends every process of the host.
set -eu
umask 022
mount -t tmpfs -o mode=755 host /opt
mkdir /opt/etc /opt/tl /opt/etc/terminal-lobby
for name in alternatives ld.so.cache ld.so.conf ld.so.conf.d localtime terminfo; do
    if [ -e "/etc/$name" ]; then cp -a "/etc/$name" /opt/etc/; fi
done
printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534::/nonexistent:/bin/false >/opt/etc/passwd
printf '%s\n' root:x:0: nogroup:x:65534: >/opt/etc/group
printf '%s\n' 'root:*:19000:0:99999:7:::' >/opt/etc/shadow
chmod 600 /opt/etc/shadow
printf '%s: files\n' passwd group shadow >/opt/etc/nsswitch.conf
printf '%s\n' 'save_deadline_seconds = 3' 'tmux_deadline_seconds = 1' 'save_on_change = false' \
    >/opt/etc/terminal-lobby/config.toml
: >/opt/etc/ttyd-user-map
mount --bind /opt/etc /etc
# A mistake under test must not reach the machine: what is not private below is read-only.
mount -o remount,ro,bind /
for dir in /home /run /var/lib /var/tmp /tmp /dev/shm /root; do
    if [ -d "$dir" ]; then mount -t tmpfs -o mode=755 host "$dir"; fi
done
chmod 1777 /tmp /var/tmp /dev/shm
chmod 700 /root
hostname throwaway
cd /
echo ready
# cat ends when the test lets go of the pipe, or dies; wait reaps every orphan meanwhile.
cat >/dev/null <&3 &
exec 3<&-
wait
