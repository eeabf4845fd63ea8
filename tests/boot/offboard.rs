//! Somebody who leaves, on a host with a real systemd and PAM.

use crate::support::{BootBox, On, wait_until};

#[test]
fn lesson_32_a_cut_ends_the_daemons_and_closes_the_login_and_comes_undone() {
    let test =
        "boot::offboard::lesson_32_a_cut_ends_the_daemons_and_closes_the_login_and_comes_undone";
    let Some(made) = BootBox::booted(test, On::Host) else { return };
    made.sh(
        "useradd -m -s /bin/bash dora; echo dora:secret | chpasswd; usermod -aG sudo dora
         printf '[Service]\\nUser=%%i\\nExecStart=/bin/sleep 1000\\nRestart=always\\nRestartSec=0\\n\
         [Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/t3-serve@.service
         systemctl daemon-reload; systemctl enable -q --now t3-serve@dora; loginctl enable-linger dora",
    );
    let uid = made.sh("id -u dora").trim().to_owned();
    let units = ["t3-serve@dora.service".to_owned(), format!("user@{uid}.service")];
    let state = |unit: &str| made.property(unit, "ActiveState");
    let all = |wanted: &str| units.iter().all(|unit| state(unit) == wanted);
    let login = || made.try_sh("root", "su -s /bin/sh -c true dora").code == 0;
    let number = || made.sh("ps -u dora --no-headers | grep -vc defunct || :").trim().to_owned();
    wait_until("the daemons run", || all("active"));
    assert!(login());
    let before = made.sh("grep dora /etc/shadow /etc/group; systemctl is-enabled t3-serve@dora");

    made.sh("provision offboard cut dora");
    assert_eq!(number(), "0");
    assert!(all("inactive"), "{:?}", units.each_ref().map(|unit| state(unit)));
    assert!(!login(), "the account has expired: keys and cron ask it, too");
    for start in [
        "systemctl start t3-serve@dora".to_owned(),
        format!("systemctl start user@{uid}"),
        "systemctl --user -M dora@ list-units".to_owned(),
    ] {
        assert_ne!(made.try_sh("root", &start).code, 0, "{start}");
    }
    assert_eq!(made.try_sh("root", "test -e /var/lib/systemd/linger/dora").code, 1);
    made.reboot();
    assert_eq!(number(), "0", "nor after a boot");

    made.sh("provision offboard uncut dora");
    wait_until("the daemons run again", || all("active"));
    assert!(login());
    assert_eq!(
        made.sh("grep dora /etc/shadow /etc/group; systemctl is-enabled t3-serve@dora"),
        before
    );
}
