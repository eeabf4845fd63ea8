//! Mode `link`: a login over ssh is all that is needed.

use super::{Server, URL, client, host, user_of};

const CA: &str = "--ca /etc/ssl/lobby.example.org.pem";

#[test]
fn a_link_that_a_user_makes_on_the_host_logs_in_once_as_that_user() {
    let test = "boot::lobby::links::a_link_that_a_user_makes_on_the_host_logs_in_once_as_that_user";
    let Some(made) = host(test, Server::Nginx) else { return };
    made.sh(&format!(
        "printf '%s\\n' 'mode = \"link\"' 'url = \"{URL}\"' >/etc/terminal-lobby/lobby.toml
        sed -i -e '/auth_basic/d' -e '/X-Remote-User/d' /etc/nginx/conf.d/lobby.conf
        systemctl restart lobby.service; systemctl reload nginx"
    ));
    let link_of = |user: &str| {
        let said = made.sh_as(user, "lobby link");
        let url = said
            .split_whitespace()
            .find(|word| word.starts_with(URL))
            .unwrap_or_else(|| panic!("{said}"));
        url.split_once('#').unwrap_or_else(|| panic!("{said}")).1.to_owned()
    };
    let log_in =
        |link: &str| client(&made, &format!("post {URL}/api/login '{{\"link\":\"{link}\"}}' {CA}"));
    for user in ["alice", "bob"] {
        let link = link_of(user);
        let (status, answer) = log_in(&link);
        assert_eq!(status / 100, 2, "{answer}");
        let cookie = answer.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("set-cookie").then(|| value.trim().to_owned())
        });
        let cookie = cookie.unwrap_or_else(|| panic!("{answer}"));
        for word in ["HttpOnly", "SameSite=Strict", "Secure"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        assert!(!cookie.contains("Domain="), "{cookie}");
        let cookie = cookie.split(';').next().unwrap();
        let header = format!("--header 'Cookie: {cookie}'");
        let (status, me) = client(&made, &format!("get {URL}/api/me {CA} {header}"));
        assert_eq!((status, user_of(&me).as_str()), (200, user), "{me}");
        let own = super::try_client(&made, "root", &format!("sessions {URL} {CA} {header}")).ok();
        assert_eq!(own.out(), format!("of-{user}\n"));
        // A header says nothing here, and the link is used up.
        let forged = format!("{header} --header 'X-Remote-User: carol@example.org'");
        assert_eq!(user_of(&client(&made, &format!("get {URL}/api/me {CA} {forged}")).1), user);
        assert_eq!(log_in(&link).0, 401);
    }
    assert_eq!(client(&made, &format!("get {URL}/api/me {CA}")).0, 401);
    // Root is no person with sessions, nor is an account that is in no map.
    made.sh("useradd -m eve");
    assert_ne!(made.try_sh("eve", "lobby link").code, 0);
    let state = made.sh("stat -c '%U %a' /var/lib/lobby; cat /var/lib/lobby/* | wc -c");
    assert!(state.starts_with("lobby 700\n"), "{state}");
}
