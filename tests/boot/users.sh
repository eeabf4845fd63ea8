# Runs in the box that every boot test stands on.
chmod 755 /usr/local/bin/claude
groupadd -g 3000 devs
for user in alice bob carol; do
    useradd -m -s /bin/bash -G devs "$user"
    echo "$user@example.org=$user" >>/etc/ttyd-user-map
    # No line of a prompt or a history is of interest, and none takes time.
    echo "PS1='$ '" >"/home/$user/.bashrc"
done
echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice
echo '* soft nofile 4096' >/etc/security/limits.d/test.conf
mkdir -p /etc/terminal-lobby
