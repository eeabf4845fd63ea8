# Runs as the init of a new pid namespace, in a new mount namespace: lays a layer that is thrown away
# over the machine's files, fills it, says "ready", and lives for as long as its stdin is open.
set -eu
umask 022
mount -t tmpfs -o mode=755 box /mnt
mkdir /mnt/base /mnt/base.up /mnt/base.work
mount -t overlay -o lowerdir=/,upperdir=/mnt/base.up,workdir=/mnt/base.work box /mnt/base
mount --rbind /proc /mnt/base/proc
mount --rbind /dev /mnt/base/dev
mount -t tmpfs -o mode=1777 tmp /mnt/base/tmp
mount -t tmpfs -o mode=755 run /mnt/base/run
cat >/mnt/base/tmp/fill <<'FILL'
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
# Nothing of the machine's own settings counts, nor anything of its network.
rm -rf /root/.npmrc /root/.npm /root/.local /usr/local/etc/npmrc /etc/npmrc /usr/etc/npmrc \
    /usr/local/lib/node_modules/tl-tool /usr/lib/node_modules/tl-tool \
    /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/*roxy* \
    /etc/terminal-lobby /var/lib/terminal-lobby /etc/sudoers.d/* /opt/*
mkdir -p /srv/repo /opt /etc/sudoers.d /root
chmod 755 / /etc /opt /srv /srv/repo /usr /usr/local /usr/local/* /var /var/lib
chmod 700 /root
cd /srv/repo
for name in tl-one tl-two tl-bad; do
    mkdir -p /tmp/$name/DEBIAN /tmp/$name/usr/share/$name
    echo $name >/tmp/$name/usr/share/$name/file
    printf '%s\n' "Package: $name" 'Version: 1.0' 'Architecture: all' 'Maintainer: x <x@example.org>' \
        'Description: of a test' >/tmp/$name/DEBIAN/control
    if [ $name = tl-bad ]; then
        printf '%s\n' '#!/bin/sh' 'echo broken on purpose >&2' 'exit 1' >/tmp/$name/DEBIAN/preinst
        chmod 755 /tmp/$name/DEBIAN/preinst
    fi
    dpkg-deb --build --root-owner-group /tmp/$name $name.deb >/dev/null
    dpkg-deb -f $name.deb
    printf '%s\n' "Filename: ./$name.deb" "Size: $(stat -c %s $name.deb)" \
        "SHA256: $(sha256sum $name.deb | cut -d' ' -f1)" ''
done >Packages
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list
# Counts each call of a tool, and kills the caller before or after the one that /tmp/kill names.
for tool in apt-cache apt-get dpkg npm visudo systemctl; do
    real=$(command -v $tool)
    cat >/usr/local/sbin/$tool <<WRAPPER
#!/bin/sh
echo "$tool \$*" >>/tmp/calls
n=\$(wc -l </tmp/calls)
when=none
[ ! -e /tmp/kill ] || read -r when which </tmp/kill
if [ "\$when \$n" = "before \$which" ]; then kill -KILL \$PPID; exit 1; fi
if [ "\$when \$n" = "amid \$which" ]; then
    $real "\$@" & pid=\$!
    sleep 0.2
    kill -KILL \$pid \$PPID
    exit 1
fi
if [ $tool = systemctl ]; then rc=0; else $real "\$@" && rc=0 || rc=\$?; fi
if [ "\$when \$n" = "after \$which" ]; then kill -KILL \$PPID; exit 1; fi
exit \$rc
WRAPPER
    chmod 755 /usr/local/sbin/$tool
done
FILL
chroot /mnt/base sh /tmp/fill
cd /
echo ready
# cat ends when the test lets go of the pipe, or dies; wait reaps every orphan meanwhile.
cat >/dev/null <&3 &
exec 3<&-
wait
